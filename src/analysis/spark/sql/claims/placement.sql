-- Made from claims/placement.sql by tools/spark_sql.py; do not edit.

-- name: joined_versions
SELECT
  v.claim_version_id,
  v.version_order,
  v.control_number,
  f.claim_version_id AS claim_id
FROM labels AS l
INNER JOIN related_versions AS v
  ON v.version_order = l.version_order
INNER JOIN related_versions AS f
  ON f.version_order = l.label

-- name: placed_versions
SELECT
  v.claim_version_id,
  COALESCE(j.claim_id, v.claim_version_id) AS claim_id,
  v.control_number,
  v.payer_id,
  v.service_date,
  v.service_to_date,
  v.charge_cents
FROM versions AS v
LEFT JOIN joined_versions AS j
  ON j.claim_version_id = v.claim_version_id

-- name: repeated_numbers
SELECT DISTINCT
  p.claim_version_id
FROM joined_versions AS p
INNER JOIN joined_versions AS q
  ON q.claim_id = p.claim_id
  AND q.control_number = p.control_number
  AND q.version_order < p.version_order

-- name: doubtful_versions
SELECT
  claim_version_id
FROM related_versions
WHERE
  service_key IN (
    SELECT
      service_key
    FROM accepted_in_turn
    WHERE
      turn > 1
  )
UNION
SELECT
  claim_version_id
FROM distrusted_references

-- name: version_places
SELECT
  'claim_version' AS record,
  p.claim_version_id AS record_id,
  p.claim_id,
  CASE
    WHEN p.claim_version_id = p.claim_id
    THEN 'original'
    WHEN p.claim_version_id IN (
      SELECT
        claim_version_id
      FROM referenced_versions
    )
    THEN 'reference'
    WHEN p.claim_version_id IN (
      SELECT
        claim_version_id
      FROM repeated_numbers
    )
    THEN 'control_number'
    ELSE 'same_service'
  END AS match_kind,
  p.claim_version_id IN (
    SELECT
      claim_version_id
    FROM doubtful_versions
  ) AS is_doubtful
FROM placed_versions AS p

-- name: shared_numbers
SELECT
  control_number
FROM placed_versions
WHERE
  NOT control_number IS NULL
GROUP BY
  control_number
HAVING
  COUNT(*) > 1

-- name: met_claims
SELECT
  r.remittance_id,
  p.claim_id,
  p.control_number IN (
    SELECT
      control_number
    FROM shared_numbers
  ) AS is_shared
FROM numbered_remittances AS r
INNER JOIN placed_versions AS p
  ON p.control_number = r.control_number
  AND (
    r.service_date IS NULL
    OR p.service_date IS NULL
    OR (
      r.service_date >= p.service_date AND r.service_date <= p.service_to_date
    )
  )

-- name: compared_claims
SELECT
  remittance_id,
  MIN(claim_id) AS claim_id,
  MAX(claim_id) AS last_id
FROM met_claims
WHERE
  is_shared
GROUP BY
  remittance_id

-- name: choosing_remittances
SELECT
  r.*
FROM numbered_remittances AS r
INNER JOIN compared_claims AS m
  ON m.remittance_id = r.remittance_id
WHERE
  m.claim_id < m.last_id

-- name: known_numbers
SELECT DISTINCT
  payer_number,
  control_number,
  service_date
FROM numbered_remittances
WHERE
  NOT service_date IS NULL
  AND payer_number IN (
    SELECT
      payer_number
    FROM choosing_remittances
  )

-- name: fits
SELECT
  r.remittance_id,
  p.claim_id,
  MIN(
    CASE WHEN r.service_date = p.service_date THEN 0 ELSE 8 END + CASE WHEN NOT k.payer_number IS NULL THEN 0 ELSE 4 END + CASE WHEN r.charge_cents = p.charge_cents THEN 0 ELSE 2 END + CASE WHEN r.payer_id = p.payer_id THEN 0 ELSE 1 END
  ) AS fit
FROM choosing_remittances AS r
INNER JOIN placed_versions AS p
  ON p.control_number = r.control_number
  AND (
    r.service_date IS NULL
    OR p.service_date IS NULL
    OR (
      r.service_date >= p.service_date AND r.service_date <= p.service_to_date
    )
  )
LEFT JOIN known_numbers AS k
  ON k.payer_number = r.payer_number
  AND k.control_number = r.control_number
  AND k.service_date = p.service_date
GROUP BY
  r.remittance_id,
  p.claim_id

-- name: best_fits
SELECT
  *,
  ROW_NUMBER() OVER (PARTITION BY remittance_id ORDER BY fit NULLS LAST, claim_id NULLS LAST) AS choice,
  MIN(fit) OVER (PARTITION BY remittance_id) AS best_fit
FROM fits

-- name: by_control_number
SELECT
  remittance_id,
  claim_id,
  FALSE AS is_doubtful
FROM met_claims
WHERE
  NOT is_shared
UNION ALL
SELECT
  remittance_id,
  claim_id,
  FALSE
FROM compared_claims
WHERE
  claim_id = last_id
UNION ALL
SELECT
  remittance_id,
  MAX(CASE WHEN choice = 1 THEN claim_id END),
  SUM(CASE WHEN fit = best_fit THEN 1 ELSE 0 END) > 1
FROM best_fits
GROUP BY
  remittance_id

-- name: unplaced_remittances
SELECT
  *
FROM numbered_remittances
WHERE
  NOT remittance_id IN (
    SELECT
      remittance_id
    FROM by_control_number
  )

-- name: by_payer_number
SELECT
  r.remittance_id,
  MIN(b.claim_id) AS claim_id,
  COUNT(DISTINCT b.claim_id) > 1 AS is_doubtful
FROM unplaced_remittances AS r
INNER JOIN numbered_remittances AS q
  ON q.payer_number = r.payer_number
INNER JOIN by_control_number AS b
  ON b.remittance_id = q.remittance_id
GROUP BY
  r.remittance_id

-- name: unclaimed
SELECT
  remittance_id,
  FIRST_VALUE(remittance_id) OVER (
    PARTITION BY COALESCE(known_number, payer_number, remittance_id), service_date
    ORDER BY payment_date, remittance_id NULLS LAST
  ) AS claim_id
FROM (
  SELECT
    r.*,
    COALESCE(
      r.control_number,
      MIN(r.control_number) OVER (PARTITION BY r.payer_number, r.service_date)
    ) AS known_number
  FROM unplaced_remittances AS r
  WHERE
    NOT r.remittance_id IN (
      SELECT
        remittance_id
      FROM by_payer_number
    )
) AS numbered

-- name: claim_lineage
SELECT
  record,
  record_id,
  claim_id,
  match_kind,
  is_doubtful
FROM version_places
UNION ALL
SELECT
  'remittance',
  remittance_id,
  claim_id,
  'control_number',
  is_doubtful
FROM by_control_number
UNION ALL
SELECT
  'remittance',
  remittance_id,
  claim_id,
  'payer_control_number',
  is_doubtful
FROM by_payer_number
UNION ALL
SELECT
  'remittance',
  remittance_id,
  claim_id,
  'remittance_only',
  FALSE
FROM unclaimed
ORDER BY
  record = 'remittance' NULLS LAST,
  record_id NULLS LAST

-- name: referenced_remittances
SELECT
  p.provider_adjustment_id,
  r.remittance_id,
  1 AS sureness
FROM provider_adjustments AS p
INNER JOIN numbered_remittances AS r
  ON r.payer_number = UPPER(TRIM(p.reference_number))
UNION ALL
SELECT
  p.provider_adjustment_id,
  r.remittance_id,
  2
FROM provider_adjustments AS p
INNER JOIN numbered_remittances AS r
  ON r.control_number = UPPER(TRIM(p.reference_number))
UNION ALL
SELECT
  p.provider_adjustment_id,
  r.remittance_id,
  3
FROM provider_adjustments AS p
INNER JOIN (
  SELECT DISTINCT
    LENGTH(payer_number) AS n_signs
  FROM numbered_remittances
  WHERE
    LENGTH(payer_number) >= 8
) AS w
  ON w.n_signs <= LENGTH(TRIM(p.reference_number))
INNER JOIN numbered_remittances AS r
  ON r.payer_number = SUBSTRING(UPPER(TRIM(p.reference_number)), 1, w.n_signs)

-- name: referenced_claims
SELECT
  record_id AS remittance_id,
  claim_id
FROM claim_lineage
WHERE
  record = 'remittance'
  AND record_id IN (
    SELECT
      remittance_id
    FROM referenced_remittances
  )

-- name: reference_candidates
SELECT DISTINCT
  r.provider_adjustment_id,
  c.claim_id,
  r.sureness
FROM referenced_remittances AS r
INNER JOIN referenced_claims AS c
  ON c.remittance_id = r.remittance_id

-- name: provider_adjustment_lineage
SELECT
  p.provider_adjustment_id,
  CASE WHEN c.n_claims = 1 THEN c.claim_id END AS claim_id,
  CASE
    WHEN c.n_claims > 1
    THEN 'several_claims'
    WHEN c.sureness = 1
    THEN 'payer_control_number'
    WHEN c.sureness = 2
    THEN 'control_number'
    WHEN c.sureness = 3
    THEN 'begins_with_payer_control_number'
    ELSE 'none'
  END AS match_kind
FROM provider_adjustments AS p
LEFT JOIN (
  SELECT
    provider_adjustment_id,
    sureness,
    MIN(claim_id) AS claim_id,
    COUNT(*) AS n_claims,
    ROW_NUMBER() OVER (PARTITION BY provider_adjustment_id ORDER BY sureness NULLS LAST) AS choice
  FROM reference_candidates
  GROUP BY
    provider_adjustment_id,
    sureness
) AS c
  ON c.provider_adjustment_id = p.provider_adjustment_id AND c.choice = 1
ORDER BY
  p.provider_adjustment_id NULLS LAST
