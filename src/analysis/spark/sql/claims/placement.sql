-- Made from claims/placement.sql by tools/spark_sql.py; do not edit.

-- name: placed_versions
SELECT
  v.*,
  FIRST_VALUE(v.claim_version_id) OVER (PARTITION BY l.label ORDER BY v.version_order NULLS LAST) AS claim_id,
  ROW_NUMBER() OVER (PARTITION BY l.label ORDER BY v.version_order NULLS LAST) AS version_number
FROM versions AS v
INNER JOIN labels AS l
  ON l.claim_version_id = v.claim_version_id

-- name: version_places
SELECT
  'claim_version' AS record,
  p.claim_version_id AS record_id,
  p.claim_id,
  CASE
    WHEN p.version_number = 1
    THEN 'original'
    WHEN p.claim_version_id IN (
      SELECT
        claim_version_id
      FROM referenced_versions
    )
    THEN 'reference'
    WHEN p.control_number IN (
      SELECT
        q.control_number
      FROM placed_versions AS q
      WHERE
        q.claim_id = p.claim_id AND q.version_number < p.version_number
    )
    THEN 'control_number'
    ELSE 'same_service'
  END AS match_kind,
  COALESCE(p.service_key, '') IN (
    SELECT
      service_key
    FROM accepted_in_turn
    WHERE
      turn > 1
  )
  OR p.claim_version_id IN (
    SELECT
      claim_version_id
    FROM distrusted_references
  ) AS is_doubtful
FROM placed_versions AS p

-- name: known_numbers
SELECT DISTINCT
  payer_number,
  control_number,
  service_date
FROM numbered_remittances
WHERE
  NOT payer_number IS NULL AND NOT service_date IS NULL

-- name: candidates
SELECT DISTINCT
  r.remittance_id,
  p.claim_id,
  CASE WHEN r.service_date = p.service_date THEN 0 ELSE 1 END AS date_rank,
  CASE WHEN NOT k.payer_number IS NULL THEN 0 ELSE 1 END AS number_rank,
  CASE WHEN r.charge_cents = p.charge_cents THEN 0 ELSE 1 END AS charge_rank,
  CASE WHEN r.payer_id = p.payer_id THEN 0 ELSE 1 END AS payer_rank
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
LEFT JOIN known_numbers AS k
  ON k.payer_number = r.payer_number
  AND k.control_number = r.control_number
  AND k.service_date = p.service_date

-- name: best_candidates
SELECT
  remittance_id,
  claim_id,
  fit,
  ROW_NUMBER() OVER (PARTITION BY remittance_id ORDER BY fit NULLS LAST, claim_id NULLS LAST) AS choice,
  MIN(fit) OVER (PARTITION BY remittance_id) AS best_fit
FROM (
  SELECT
    remittance_id,
    claim_id,
    date_rank * 8 + number_rank * 4 + charge_rank * 2 + payer_rank AS fit
  FROM candidates
) AS fits

-- name: by_control_number
SELECT
  remittance_id,
  MAX(CASE WHEN choice = 1 THEN claim_id END) AS claim_id,
  COUNT(DISTINCT CASE WHEN fit = best_fit THEN claim_id END) > 1 AS is_doubtful
FROM best_candidates
GROUP BY
  remittance_id

-- name: by_payer_number
SELECT
  r.remittance_id,
  MIN(b.claim_id) AS claim_id,
  COUNT(DISTINCT b.claim_id) > 1 AS is_doubtful
FROM numbered_remittances AS r
INNER JOIN numbered_remittances AS q
  ON q.payer_number = r.payer_number
INNER JOIN by_control_number AS b
  ON b.remittance_id = q.remittance_id
WHERE
  NOT r.remittance_id IN (
    SELECT
      remittance_id
    FROM by_control_number
  )
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
  FROM numbered_remittances AS r
  WHERE
    NOT r.remittance_id IN (
      SELECT
        remittance_id
      FROM by_control_number
    )
    AND NOT r.remittance_id IN (
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
  record NULLS LAST,
  record_id NULLS LAST

-- name: reference_candidates
SELECT DISTINCT
  p.provider_adjustment_id,
  l.claim_id,
  1 AS sureness
FROM provider_adjustments AS p
INNER JOIN numbered_remittances AS r
  ON r.payer_number = UPPER(TRIM(p.reference_number))
INNER JOIN claim_lineage AS l
  ON l.record = 'remittance' AND l.record_id = r.remittance_id
UNION
SELECT DISTINCT
  p.provider_adjustment_id,
  l.claim_id,
  2
FROM provider_adjustments AS p
INNER JOIN numbered_remittances AS r
  ON r.control_number = UPPER(TRIM(p.reference_number))
INNER JOIN claim_lineage AS l
  ON l.record = 'remittance' AND l.record_id = r.remittance_id
UNION
SELECT DISTINCT
  p.provider_adjustment_id,
  l.claim_id,
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
INNER JOIN claim_lineage AS l
  ON l.record = 'remittance' AND l.record_id = r.remittance_id

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
