-- Made from outcomes/answers.sql by tools/spark_sql.py; do not edit.

-- name: coded_adjustments
SELECT
  a.remittance_key,
  a.remittance_line_key,
  a.reason_code,
  a.amount_cents,
  a.group_code = 'PR' AND a.reason_code IN ('1', '2', '3') AS is_patient_part,
  CASE
    WHEN a.reason_code IN ('1', '2', '3')
    THEN a.group_code = 'PR'
    ELSE COALESCE(k.is_allowed_part, 'no') = 'yes'
  END AS is_allowed_part,
  CASE
    WHEN k.reason_code IS NULL
    THEN 'denial'
    WHEN k.category = 'pending'
    THEN 'pending'
    WHEN k.category = 'duplicate' AND k.is_denial = 'depends'
    THEN 'duplicate'
    WHEN k.is_denial = 'yes'
    THEN 'denial'
    WHEN k.is_denial = 'depends'
    THEN 'denial_if_unpaid'
    ELSE 'neutral'
  END AS effect,
  COALESCE(k.category, 'unmapped') AS category,
  COALESCE(k.needs_remark, 'no') = 'yes' AS needs_remark
FROM keyed_adjustments AS a
LEFT JOIN carc AS k
  ON k.reason_code = a.reason_code

-- name: deciding_remarks
SELECT
  remittance_key,
  remittance_line_key,
  remark_code,
  category
FROM (
  SELECT
    m.remittance_key,
    m.remittance_line_key,
    m.remark_code,
    k.category,
    ROW_NUMBER() OVER (
      PARTITION BY m.remittance_key, m.remittance_line_key
      ORDER BY m.remark_id NULLS LAST
    ) AS choice
  FROM keyed_remarks AS m
  INNER JOIN rarc AS k
    ON k.remark_code = m.remark_code
  WHERE
    NOT k.category IN (
      'appeal_outcome',
      'contractual',
      'reversal',
      'recoupment',
      'patient_responsibility',
      'other'
    )
) AS ranked
WHERE
  choice = 1

-- name: denial_reasons
SELECT
  remittance_key,
  remittance_line_key,
  reason_code,
  category,
  remark_code,
  effect
FROM (
  SELECT
    a.remittance_key,
    a.remittance_line_key,
    a.reason_code,
    a.effect,
    CASE
      WHEN a.needs_remark
      THEN COALESCE(x.category, y.category, 'unknown')
      ELSE a.category
    END AS category,
    COALESCE(x.remark_code, y.remark_code) AS remark_code,
    ROW_NUMBER() OVER (
      PARTITION BY a.remittance_key, a.remittance_line_key
      ORDER BY CASE WHEN a.category = 'appeal_outcome' THEN 1 ELSE 0 END NULLS LAST, a.amount_cents DESC, a.reason_code NULLS LAST
    ) AS choice
  FROM coded_adjustments AS a
  LEFT JOIN deciding_remarks AS x
    ON x.remittance_key = a.remittance_key
    AND x.remittance_line_key = a.remittance_line_key
  LEFT JOIN deciding_remarks AS y
    ON y.remittance_key = a.remittance_key AND y.remittance_line_key IS NULL
  WHERE
    a.effect IN ('denial', 'denial_if_unpaid') AND a.amount_cents > 0
) AS ranked
WHERE
  choice = 1

-- name: adjustment_sums
SELECT
  remittance_key,
  remittance_line_key,
  SUM(CASE WHEN is_allowed_part THEN amount_cents ELSE 0 END) AS allowed_part_cents,
  SUM(CASE WHEN is_patient_part THEN amount_cents ELSE 0 END) AS patient_part_cents,
  SUM(CASE WHEN effect = 'denial' THEN amount_cents ELSE 0 END) AS denial_cents,
  SUM(CASE WHEN effect = 'denial_if_unpaid' THEN amount_cents ELSE 0 END) AS unpaid_denial_cents,
  SUM(CASE WHEN effect = 'pending' THEN amount_cents ELSE 0 END) AS pending_cents,
  SUM(CASE WHEN effect = 'duplicate' THEN amount_cents ELSE 0 END) AS duplicate_cents
FROM coded_adjustments
GROUP BY
  remittance_key,
  remittance_line_key

-- name: rejecting_remittances
SELECT DISTINCT
  remittance_key
FROM keyed_remarks
WHERE
  remark_code = 'MA130'

-- name: answered_parts
SELECT
  s.remittance_key,
  s.remittance_line_key,
  s.line_number,
  s.line_control_number,
  s.procedure_code,
  s.modifiers,
  s.service_date,
  s.charge_cents,
  s.paid_cents,
  s.allowed_cents AS stated_allowed_cents,
  s.is_cut_in_units
FROM keyed_remittance_lines AS s
UNION ALL
SELECT
  r.remittance_key,
  NULL,
  1,
  NULL,
  NULL,
  NULL,
  r.service_date,
  r.charge_cents,
  r.paid_cents,
  NULL,
  FALSE
FROM remittances_in_claims AS r
WHERE
  NOT r.remittance_key IN (
    SELECT
      remittance_key
    FROM keyed_remittance_lines
  )

-- name: parts_with_own_sums
SELECT
  p.*,
  COALESCE(a.allowed_part_cents, 0) AS own_allowed_part_cents,
  COALESCE(a.denial_cents, 0) AS own_denial_cents,
  COALESCE(a.unpaid_denial_cents, 0) AS own_unpaid_denial_cents,
  COALESCE(a.pending_cents, 0) AS own_pending_cents,
  COALESCE(a.duplicate_cents, 0) AS own_duplicate_cents
FROM answered_parts AS p
LEFT JOIN adjustment_sums AS a
  ON a.remittance_key = p.remittance_key
  AND a.remittance_line_key = p.remittance_line_key

-- name: parts_with_sums
SELECT
  p.*,
  p.own_pending_cents + COALESCE(c.pending_cents, 0) AS pending_cents,
  p.own_duplicate_cents + COALESCE(c.duplicate_cents, 0) AS duplicate_cents,
  COALESCE(c.allowed_part_cents, 0) AS claim_allowed_part_cents,
  COALESCE(c.denial_cents, 0) AS claim_denial_cents,
  COALESCE(c.unpaid_denial_cents, 0) AS claim_unpaid_denial_cents
FROM parts_with_own_sums AS p
LEFT JOIN adjustment_sums AS c
  ON c.remittance_key = p.remittance_key AND c.remittance_line_key IS NULL

-- name: summed_parts
SELECT
  p.*,
  COALESCE(d.category, e.category) AS category,
  COALESCE(d.reason_code, e.reason_code) AS reason_code,
  COALESCE(d.remark_code, e.remark_code) AS remark_code
FROM parts_with_sums AS p
LEFT JOIN denial_reasons AS d
  ON d.remittance_key = p.remittance_key
  AND d.remittance_line_key = p.remittance_line_key
LEFT JOIN denial_reasons AS e
  ON e.remittance_key = p.remittance_key AND e.remittance_line_key IS NULL

-- name: priced_parts
SELECT
  *,
  CASE
    WHEN remittance_line_key IS NULL
    THEN paid_cents + claim_allowed_part_cents
    WHEN stated_allowed_cents > 0
    AND paid_cents + own_allowed_part_cents + claim_allowed_part_cents = 0
    AND own_denial_cents + own_unpaid_denial_cents + claim_denial_cents + claim_unpaid_denial_cents > 0
    THEN 0
    WHEN stated_allowed_cents <> 0 OR (
      stated_allowed_cents = 0 AND paid_cents = 0
    )
    THEN stated_allowed_cents
    ELSE paid_cents + own_allowed_part_cents
  END AS allowed_cents
FROM summed_parts

-- name: claims_with_remittances
SELECT DISTINCT
  claim_key
FROM remittances_in_claims
WHERE
  COALESCE(source, 'x12') <> 'export'
  AND claim_key IN (
    SELECT
      claim_key
    FROM remittances_in_claims
    WHERE
      source = 'export'
  )

-- name: secondary_answers
SELECT
  remittance_key
FROM coded_adjustments
WHERE
  reason_code = '23' AND amount_cents <> 0
UNION
SELECT
  r.remittance_key
FROM remittances_in_claims AS r
INNER JOIN (
  SELECT
    claim_key,
    payer_id
  FROM versions
  WHERE
    claim_key IN (
      SELECT
        claim_key
      FROM versions
      WHERE
        NOT is_primary
    )
  GROUP BY
    claim_key,
    payer_id
  HAVING
    MAX(CASE WHEN is_primary THEN 1 ELSE 0 END) = 0
) AS v
  ON v.claim_key = r.claim_key AND v.payer_id = r.payer_id

-- name: retold_remittances
SELECT
  remittance_key
FROM remittances_in_claims
WHERE
  source = 'export'
  AND claim_key IN (
    SELECT
      claim_key
    FROM claims_with_remittances
  )

-- name: answers_in_turn
SELECT
  remittance_key,
  ROW_NUMBER() OVER (
    PARTITION BY claim_key
    ORDER BY payment_date, CASE WHEN claim_status_code = '22' THEN 0 ELSE 1 END NULLS LAST, payment_id NULLS LAST, position NULLS LAST, remittance_key NULLS LAST
  ) AS answer_number
FROM remittances_in_claims
WHERE
  claim_key IN (
    SELECT
      claim_key
    FROM remittances_in_claims
    GROUP BY
      claim_key
    HAVING
      COUNT(*) > 1
  )
  AND NOT remittance_key IN (
    SELECT
      remittance_key
    FROM retold_remittances
  )

-- name: answers
SELECT
  r.*,
  COALESCE(r.claim_status_code, '') = '22' AS is_reversal,
  NOT COALESCE(r.claim_status_code, '') IN ('2', '3', '20', '21', '22', '23', '25')
  AND COALESCE(r.claim_frequency_code, '') <> '8'
  AND NOT r.remittance_key IN (
    SELECT
      remittance_key
    FROM secondary_answers
  ) AS is_deciding,
  COALESCE(t.answer_number, 1) AS answer_number
FROM remittances_in_claims AS r
LEFT JOIN answers_in_turn AS t
  ON t.remittance_key = r.remittance_key
WHERE
  NOT r.remittance_key IN (
    SELECT
      remittance_key
    FROM retold_remittances
  )

-- name: turns
SELECT
  claim_key,
  remittance_key,
  payment_id,
  payment_date,
  position,
  answer_number,
  COALESCE(payer_id, '') AS payer,
  COALESCE(payer_claim_control_number, '') AS payer_number,
  ABS(charge_cents) AS charge,
  ABS(paid_cents) AS paid,
  CASE
    WHEN NOT is_reversal
    THEN 0
    WHEN charge_cents > 0
    AND MIN(charge_cents) OVER (
      PARTITION BY claim_key, payer_id, ABS(charge_cents), ABS(paid_cents), is_reversal
    ) < 0
    THEN 2
    ELSE 1
  END AS turn
FROM answers
WHERE
  claim_key IN (
    SELECT
      claim_key
    FROM answers
    WHERE
      is_reversal
  )

-- name: given_back
SELECT
  a.remittance_key
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY claim_key, payer, charge, paid, turn
      ORDER BY answer_number NULLS LAST
    ) AS place
  FROM turns
) AS a
INNER JOIN (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY claim_key, payer, charge, paid, turn
      ORDER BY answer_number NULLS LAST
    ) AS place
  FROM turns
) AS b
  ON b.claim_key = a.claim_key
  AND b.payer = a.payer
  AND b.charge = a.charge
  AND b.paid = a.paid
  AND b.place = a.place
WHERE
  a.turn = 1 AND b.turn = 2

-- name: placed_turns
SELECT
  *,
  ROW_NUMBER() OVER (
    PARTITION BY claim_key, payer, charge, paid, turn, payer_number
    ORDER BY answer_number NULLS LAST
  ) AS place_in_number,
  ROW_NUMBER() OVER (
    PARTITION BY claim_key, payer, charge, paid, turn
    ORDER BY answer_number NULLS LAST
  ) AS place
FROM turns
WHERE
  turn < 2
  AND NOT remittance_key IN (
    SELECT
      remittance_key
    FROM given_back
  )

-- name: mirrors
SELECT
  a.remittance_key,
  b.remittance_key AS reversal_key,
  a.place_in_number = b.place_in_number AND a.payer_number = b.payer_number AS is_same_number,
  a.place = b.place AS is_same_place
FROM placed_turns AS a
INNER JOIN placed_turns AS b
  ON b.claim_key = a.claim_key
  AND b.payer = a.payer
  AND b.charge = a.charge
  AND b.paid = a.paid
  AND COALESCE(
    a.payment_date < b.payment_date
    OR (
      a.payment_id = b.payment_id AND a.position < b.position
    ),
    a.answer_number < b.answer_number
  )
WHERE
  a.turn = 0 AND b.turn = 1

-- name: mirrored_pairs
SELECT
  remittance_key,
  reversal_key
FROM mirrors
WHERE
  is_same_number
UNION
SELECT
  remittance_key,
  reversal_key
FROM mirrors
WHERE
  is_same_place
  AND NOT remittance_key IN (
    SELECT
      remittance_key
    FROM mirrors
    WHERE
      is_same_number
  )
  AND NOT reversal_key IN (
    SELECT
      reversal_key
    FROM mirrors
    WHERE
      is_same_number
  )

-- name: unmirrored_turns
SELECT
  *,
  ROW_NUMBER() OVER (PARTITION BY claim_key, payer, turn ORDER BY answer_number DESC) AS from_last
FROM placed_turns
WHERE
  NOT remittance_key IN (
    SELECT
      remittance_key
    FROM mirrored_pairs
  )
  AND NOT remittance_key IN (
    SELECT
      reversal_key
    FROM mirrored_pairs
  )

-- name: taken_back
SELECT
  remittance_key,
  reversal_key,
  TRUE AS is_whole
FROM mirrored_pairs
UNION
SELECT
  a.remittance_key,
  v.remittance_key,
  v.charge >= a.charge
  OR NOT a.remittance_key IN (
    SELECT
      remittance_key
    FROM keyed_remittance_lines
  )
  OR NOT v.remittance_key IN (
    SELECT
      remittance_key
    FROM keyed_remittance_lines
  )
FROM unmirrored_turns AS a
INNER JOIN unmirrored_turns AS v
  ON v.claim_key = a.claim_key
  AND v.payer = a.payer
  AND v.turn = 1
  AND (
    v.payer_number = a.payer_number OR v.from_last = a.from_last
  )
  AND COALESCE(
    a.payment_date < v.payment_date
    OR (
      a.payment_id = v.payment_id AND a.position < v.position
    ),
    a.answer_number < v.answer_number
  )
WHERE
  a.turn = 0

-- name: answerable_versions
SELECT
  claim_key,
  claim_version_key,
  patient_control_number,
  submitted_date,
  claim_frequency_code,
  charge_cents,
  version_number
FROM versions
WHERE
  is_primary AND NOT is_void

-- name: only_versions
SELECT
  claim_key,
  MIN(claim_version_key) AS claim_version_key
FROM answerable_versions
GROUP BY
  claim_key
HAVING
  COUNT(*) = 1

-- name: version_choices
SELECT
  a.remittance_key,
  v.claim_version_key,
  ROW_NUMBER() OVER (
    PARTITION BY a.remittance_key
    ORDER BY CASE
      WHEN UPPER(TRIM(v.patient_control_number)) = UPPER(TRIM(a.patient_control_number))
      THEN 0
      ELSE 1
    END NULLS LAST, CASE WHEN v.submitted_date <= a.payment_date THEN 0 ELSE 1 END NULLS LAST, CASE WHEN v.claim_frequency_code = a.claim_frequency_code THEN 0 ELSE 1 END NULLS LAST, CASE WHEN v.charge_cents = ABS(a.charge_cents) THEN 0 ELSE 1 END NULLS LAST, v.version_number DESC
  ) AS choice
FROM answers AS a
INNER JOIN answerable_versions AS v
  ON v.claim_key = a.claim_key
WHERE
  NOT a.claim_key IN (
    SELECT
      claim_key
    FROM only_versions
  )

-- name: answered_versions
SELECT
  a.remittance_key,
  v.claim_version_key
FROM answers AS a
INNER JOIN only_versions AS v
  ON v.claim_key = a.claim_key
UNION ALL
SELECT
  remittance_key,
  claim_version_key
FROM version_choices
WHERE
  choice = 1

-- name: repeated_lines
SELECT
  claim_version_key,
  line_number,
  ROW_NUMBER() OVER (
    PARTITION BY claim_version_key, procedure_code, service_date
    ORDER BY line_number NULLS LAST
  ) AS occurrence
FROM lines_in_claims
WHERE
  claim_version_key IN (
    SELECT
      claim_version_key
    FROM lines_in_claims
    GROUP BY
      claim_version_key,
      procedure_code,
      service_date
    HAVING
      COUNT(*) > 1
  )

-- name: service_slots
SELECT
  v.claim_key,
  v.claim_version_key,
  v.version_number,
  s.service_line_id,
  s.line_number,
  s.line_control_number,
  s.procedure_code,
  s.modifiers,
  s.units,
  s.service_date,
  s.charge_cents,
  COALESCE(s.procedure_code, '') || '@' || COALESCE(CAST(DATEDIFF(DAY, CAST('1970-01-01' AS DATE), s.service_date) AS STRING), '') || CASE WHEN r.occurrence > 1 THEN '#' || CAST(r.occurrence AS STRING) ELSE '' END AS slot,
  COALESCE(s.service_date, v.service_date) AS day
FROM lines_in_claims AS s
INNER JOIN versions AS v
  ON v.claim_version_key = s.claim_version_key
LEFT JOIN repeated_lines AS r
  ON r.claim_version_key = s.claim_version_key AND r.line_number = s.line_number
WHERE
  v.is_primary AND NOT v.is_void

-- name: rival_slots
SELECT
  claim_key,
  claim_version_key,
  version_number,
  slot
FROM service_slots
WHERE
  NOT claim_key IN (
    SELECT
      claim_key
    FROM only_versions
  )

-- name: partial_versions
SELECT
  claim_version_key,
  base_version_key
FROM (
  SELECT
    f.claim_version_key,
    f.earlier_version_key AS base_version_key,
    ROW_NUMBER() OVER (PARTITION BY f.claim_version_key ORDER BY f.earlier_number DESC) AS choice
  FROM (
    SELECT
      s.claim_version_key,
      e.claim_version_key AS earlier_version_key,
      e.version_number AS earlier_number,
      COUNT(*) AS n_shared
    FROM rival_slots AS s
    INNER JOIN rival_slots AS e
      ON e.claim_key = s.claim_key
      AND e.slot = s.slot
      AND e.version_number < s.version_number
    GROUP BY
      s.claim_version_key,
      e.claim_version_key,
      e.version_number
  ) AS f
  INNER JOIN versions AS v
    ON v.claim_version_key = f.claim_version_key
  INNER JOIN (
    SELECT
      claim_version_key,
      COUNT(*) AS n_lines
    FROM rival_slots
    GROUP BY
      claim_version_key
  ) AS n
    ON n.claim_version_key = f.claim_version_key
  INNER JOIN (
    SELECT
      claim_version_key,
      COUNT(*) AS n_lines
    FROM rival_slots
    GROUP BY
      claim_version_key
  ) AS m
    ON m.claim_version_key = f.earlier_version_key
  WHERE
    COALESCE(v.claim_frequency_code, '1') <> '7'
    AND f.n_shared = n.n_lines
    AND m.n_lines > n.n_lines
) AS ranked
WHERE
  choice = 1

-- name: judged_parts
SELECT
  p.*,
  r.claim_key,
  r.answer_number,
  r.payment_date,
  r.is_reversal,
  r.is_deciding AS is_deciding_answer,
  COALESCE(p.service_date, r.service_date) AS day,
  CASE
    WHEN r.stated_determination = 'denied'
    AND p.duplicate_cents > 0
    AND p.own_denial_cents + p.own_unpaid_denial_cents + p.claim_denial_cents + p.claim_unpaid_denial_cents = 0
    THEN 'duplicate'
    WHEN NOT r.stated_determination IS NULL
    THEN r.stated_determination
    WHEN p.charge_cents = 0 AND p.allowed_cents = 0
    THEN 'none'
    WHEN p.allowed_cents > 0 AND (
      p.own_denial_cents > 0 OR p.is_cut_in_units
    )
    THEN 'partially_approved'
    WHEN p.allowed_cents > 0 AND p.remittance_line_key IS NULL AND p.claim_denial_cents > 0
    THEN 'partially_approved'
    WHEN p.allowed_cents > 0
    THEN 'approved'
    WHEN p.remittance_key IN (
      SELECT
        remittance_key
      FROM rejecting_remittances
    )
    THEN 'rejected'
    WHEN p.claim_allowed_part_cents > 0 AND p.own_denial_cents = 0
    THEN 'approved'
    WHEN p.pending_cents > 0
    THEN 'pending'
    WHEN p.duplicate_cents > 0
    THEN 'duplicate'
    WHEN p.own_denial_cents + p.own_unpaid_denial_cents + p.claim_denial_cents + p.claim_unpaid_denial_cents > 0
    THEN 'denied'
    ELSE 'unknown'
  END AS determination
FROM priced_parts AS p
INNER JOIN answers AS r
  ON r.remittance_key = p.remittance_key

-- name: parts_in_claims
SELECT
  j.claim_key,
  j.answer_number,
  j.payment_date,
  j.is_reversal,
  j.is_deciding_answer AND j.charge_cents >= 0 AS is_deciding,
  j.is_deciding_answer AND j.charge_cents < 0 AS takes_back,
  c.claim_version_key,
  j.remittance_key,
  j.remittance_line_key,
  j.line_number,
  j.line_control_number,
  j.procedure_code,
  j.modifiers,
  j.service_date,
  j.day,
  j.charge_cents,
  ABS(j.charge_cents) AS charge,
  j.paid_cents,
  j.allowed_cents,
  j.determination,
  j.category,
  j.reason_code,
  j.remark_code
FROM judged_parts AS j
LEFT JOIN answered_versions AS c
  ON c.remittance_key = j.remittance_key

-- name: open_parts_0
SELECT
  remittance_key,
  remittance_line_key,
  claim_key,
  claim_version_key,
  line_number,
  takes_back,
  COALESCE(line_control_number, '') AS number,
  COALESCE(procedure_code, '') AS code,
  day,
  charge,
  COALESCE(modifiers, '') AS signs
FROM parts_in_claims
WHERE
  NOT remittance_line_key IS NULL

-- name: offers_0
SELECT
  p.remittance_key,
  s.service_line_id,
  s.line_number,
  s.slot,
  s.charge_cents AS charge,
  s.day,
  COALESCE(s.procedure_code, '') AS code,
  COALESCE(s.modifiers, '') AS signs,
  COALESCE(s.line_control_number, '') AS number
FROM (
  SELECT DISTINCT
    remittance_key,
    claim_version_key
  FROM open_parts_0
) AS p
INNER JOIN service_slots AS s
  ON s.claim_version_key = p.claim_version_key
