-- Made from claims/balances.sql by tools/spark_sql.py; do not edit.

-- name: line_adjustments
SELECT
  remittance_line_id,
  SUM(amount_cents) AS adjusted_cents
FROM adjustments
WHERE
  NOT remittance_line_id IS NULL
GROUP BY
  remittance_line_id

-- name: claim_adjustments
SELECT
  remittance_id,
  SUM(amount_cents) AS adjusted_cents,
  SUM(CASE WHEN remittance_line_id IS NULL THEN amount_cents ELSE 0 END) AS claim_level_cents,
  SUM(CASE WHEN group_code = 'PR' THEN amount_cents ELSE 0 END) AS patient_cents
FROM adjustments
GROUP BY
  remittance_id

-- name: answered_sums
SELECT
  remittance_id,
  SUM(charge_cents) AS charge_cents,
  SUM(paid_cents) AS paid_cents
FROM remittance_lines
GROUP BY
  remittance_id

-- name: sent_sums
SELECT
  claim_version_id,
  SUM(charge_cents) AS charge_cents
FROM service_lines
GROUP BY
  claim_version_id

-- name: payment_sums
SELECT
  payment_id,
  SUM(paid_cents) AS paid_cents
FROM remittances
GROUP BY
  payment_id

-- name: moved_sums
SELECT
  payment_id,
  SUM(amount_cents) AS moved_cents
FROM provider_adjustments
GROUP BY
  payment_id

-- name: answers_with_sums
SELECT
  r.remittance_id,
  r.file_name,
  r.interchange,
  r.segment,
  r.claim_status_code,
  r.charge_cents,
  r.paid_cents,
  r.patient_responsibility_cents,
  s.charge_cents AS line_charge_cents,
  s.paid_cents AS line_paid_cents,
  COALESCE(a.adjusted_cents, 0) AS adjusted_cents,
  COALESCE(a.claim_level_cents, 0) AS claim_level_cents,
  COALESCE(a.patient_cents, 0) AS patient_cents
FROM remittances AS r
LEFT JOIN answered_sums AS s
  ON s.remittance_id = r.remittance_id
LEFT JOIN claim_adjustments AS a
  ON a.remittance_id = r.remittance_id
WHERE
  r.source = 'x12'

-- name: sent_versions
SELECT
  l.claim_id,
  c.claim_version_id,
  c.charge_cents,
  c.submitted_date,
  c.service_date,
  c.service_to_date,
  c.facility_code,
  c.other_payer_paid_cents,
  COALESCE(c.payer_sequence_code, 'P') = 'P' AS is_primary
FROM claims AS c
INNER JOIN claim_lineage AS l
  ON l.record = 'claim_version' AND l.record_id = c.claim_version_id
WHERE
  COALESCE(c.claim_frequency_code, '1') <> '8'

-- name: answers_in_claims
SELECT
  l.claim_id,
  r.remittance_id,
  r.file_name,
  r.interchange,
  r.segment,
  r.payment_date,
  r.service_date,
  r.payer_id,
  r.facility_code,
  COALESCE(r.claim_status_code, '1') IN ('2', '3', '20', '21') AS is_later_insurer,
  r.charge_cents < 0 AS is_taken_back,
  ABS(r.charge_cents) AS charge_cents,
  l.match_kind
FROM remittances AS r
INNER JOIN claim_lineage AS l
  ON l.record = 'remittance' AND l.record_id = r.remittance_id
WHERE
  r.source = 'x12'

-- name: nearest_versions
SELECT
  *,
  SUM(charge_cents) OVER (PARTITION BY claim_id, payer_id, is_taken_back, charge_cents < sent_cents) AS parts_cents
FROM (
  SELECT
    a.*,
    v.charge_cents AS sent_cents,
    v.facility_code AS sent_facility_code,
    ROW_NUMBER() OVER (
      PARTITION BY a.remittance_id
      ORDER BY CASE WHEN v.charge_cents = a.charge_cents THEN 0 ELSE 1 END NULLS LAST, CASE WHEN v.submitted_date <= a.payment_date THEN 0 ELSE 1 END NULLS LAST, v.submitted_date DESC, v.claim_version_id NULLS LAST
    ) AS choice
  FROM answers_in_claims AS a
  INNER JOIN sent_versions AS v
    ON v.claim_id = a.claim_id
) AS ranked
WHERE
  choice = 1

-- name: sums_of_versions
SELECT
  'sent_charge' AS check_name,
  c.claim_version_id AS record_id,
  c.file_name,
  c.interchange,
  c.segment,
  s.charge_cents AS expected_cents,
  c.charge_cents AS found_cents
FROM claims AS c
LEFT JOIN sent_sums AS s
  ON s.claim_version_id = c.claim_version_id
WHERE
  c.source = 'x12'

-- name: sums_of_answered_lines
SELECT
  'line_paid' AS check_name,
  s.remittance_line_id AS record_id,
  r.file_name,
  r.interchange,
  s.segment,
  s.charge_cents - COALESCE(a.adjusted_cents, 0) AS expected_cents,
  s.paid_cents AS found_cents
FROM remittance_lines AS s
INNER JOIN answers_with_sums AS r
  ON r.remittance_id = s.remittance_id
LEFT JOIN line_adjustments AS a
  ON a.remittance_line_id = s.remittance_line_id

-- name: sums_of_answers
SELECT
  'claim_charge' AS check_name,
  remittance_id AS record_id,
  file_name,
  interchange,
  segment,
  line_charge_cents AS expected_cents,
  charge_cents AS found_cents
FROM answers_with_sums
WHERE
  NOT line_charge_cents IS NULL
UNION ALL
SELECT
  'claim_paid',
  remittance_id,
  file_name,
  interchange,
  segment,
  charge_cents - adjusted_cents,
  paid_cents
FROM answers_with_sums
UNION ALL
SELECT
  'claim_paid_by_lines',
  remittance_id,
  file_name,
  interchange,
  segment,
  line_paid_cents - claim_level_cents,
  paid_cents
FROM answers_with_sums
WHERE
  NOT line_paid_cents IS NULL
UNION ALL
SELECT
  'responsibility',
  remittance_id,
  file_name,
  interchange,
  segment,
  patient_cents,
  COALESCE(patient_responsibility_cents, 0)
FROM answers_with_sums
WHERE
  COALESCE(claim_status_code, '') <> '22'
  OR NOT patient_responsibility_cents IS NULL
UNION ALL
SELECT
  'answered_charge',
  remittance_id,
  file_name,
  interchange,
  segment,
  sent_cents,
  CASE WHEN parts_cents = sent_cents THEN parts_cents ELSE charge_cents END
FROM nearest_versions

-- name: sums_of_payments
SELECT
  'deposit' AS check_name,
  p.payment_id AS record_id,
  p.file_name,
  p.interchange,
  p.segment,
  COALESCE(s.paid_cents, 0) - COALESCE(m.moved_cents, 0) AS expected_cents,
  p.deposit_cents AS found_cents
FROM payments AS p
LEFT JOIN payment_sums AS s
  ON s.payment_id = p.payment_id
LEFT JOIN moved_sums AS m
  ON m.payment_id = p.payment_id

-- name: sums
SELECT
  *
FROM sums_of_versions
UNION ALL
SELECT
  *
FROM sums_of_answered_lines
UNION ALL
SELECT
  *
FROM sums_of_answers
UNION ALL
SELECT
  *
FROM sums_of_payments

-- name: sent_period
SELECT
  MIN(service_date) AS first_date,
  MAX(service_to_date) AS last_date
FROM claims

-- name: lines_of_sent_claims
SELECT
  remittance_line_id,
  service_line_id,
  match_kind
FROM line_lineage
WHERE
  claim_id IN (
    SELECT
      claim_id
    FROM sent_versions
    WHERE
      is_primary
  )

-- name: lines_as_answered
SELECT
  l.remittance_line_id,
  l.service_line_id,
  l.match_kind,
  s.remittance_id,
  s.segment,
  s.procedure_code AS answered_code,
  s.submitted_procedure_code AS recoded_from,
  s.service_date AS answered_date,
  s.line_control_number AS answered_number,
  s.modifiers AS answered_modifiers,
  COALESCE(s.submitted_units, s.units) AS answered_units
FROM lines_of_sent_claims AS l
INNER JOIN remittance_lines AS s
  ON s.remittance_line_id = l.remittance_line_id

-- name: lines_as_sent
SELECT
  l.*,
  q.claim_version_id,
  q.procedure_code AS sent_code,
  q.service_date AS sent_date,
  q.service_to_date AS sent_to_date,
  q.line_control_number AS sent_number,
  q.modifiers AS sent_modifiers,
  q.units AS sent_units
FROM lines_as_answered AS l
LEFT JOIN service_lines AS q
  ON q.service_line_id = l.service_line_id

-- name: lines_in_answers
SELECT
  l.*,
  r.file_name,
  r.interchange,
  r.service_date AS answer_date
FROM lines_as_sent AS l
INNER JOIN answers_in_claims AS r
  ON r.remittance_id = l.remittance_id

-- name: answered_lines
SELECT
  l.remittance_line_id,
  l.file_name,
  l.interchange,
  l.segment,
  l.match_kind,
  l.sent_code,
  l.answered_code,
  l.recoded_from,
  COALESCE(l.sent_date, v.service_date) AS sent_date,
  COALESCE(l.sent_to_date, v.service_to_date) AS sent_to_date,
  COALESCE(l.answered_date, l.answer_date) AS answered_date,
  l.sent_number,
  l.answered_number,
  l.sent_modifiers,
  l.answered_modifiers,
  l.sent_units,
  l.answered_units
FROM lines_in_answers AS l
LEFT JOIN sent_versions AS v
  ON v.claim_version_id = l.claim_version_id

-- name: answers_alike
SELECT
  'answer_has_claim' AS check_name,
  a.remittance_id AS record_id,
  a.file_name,
  a.interchange,
  a.segment,
  'a claim' AS expected,
  CASE WHEN a.match_kind = 'remittance_only' THEN 'none' ELSE 'a claim' END AS found
FROM answers_in_claims AS a
CROSS JOIN sent_period AS p
WHERE
  a.service_date IS NULL
  OR (
    a.service_date >= p.first_date AND a.service_date <= p.last_date
  )
UNION ALL
SELECT
  'first_insurer_answered',
  remittance_id,
  file_name,
  interchange,
  segment,
  'an answer',
  CASE
    WHEN claim_id IN (
      SELECT
        claim_id
      FROM answers_in_claims
      WHERE
        NOT is_later_insurer
    )
    OR claim_id IN (
      SELECT
        claim_id
      FROM sent_versions
      WHERE
        NOT other_payer_paid_cents IS NULL
    )
    THEN 'an answer'
    ELSE 'none'
  END
FROM answers_in_claims
WHERE
  is_later_insurer
UNION ALL
SELECT
  'answered_place',
  remittance_id,
  file_name,
  interchange,
  segment,
  sent_facility_code,
  facility_code
FROM nearest_versions
UNION ALL
SELECT
  'answered_in_time_order',
  r.remittance_id,
  r.file_name,
  r.interchange,
  r.segment,
  'in order',
  CASE
    WHEN r.received_date > r.payment_date
    THEN 'received after the answer'
    WHEN r.service_date > r.received_date
    THEN 'received before the visit'
    WHEN r.received_date < f.first_date
    THEN 'received before it was sent'
    WHEN r.service_date > r.payment_date
    THEN 'answered before the visit'
    WHEN r.service_date < r.payment_date - INTERVAL '10' YEAR
    THEN 'a visit ten years back'
    ELSE 'in order'
  END
FROM remittances AS r
LEFT JOIN (
  SELECT
    l.record_id,
    MIN(v.submitted_date) AS first_date
  FROM claim_lineage AS l
  INNER JOIN sent_versions AS v
    ON v.claim_id = l.claim_id
  WHERE
    l.record = 'remittance'
  GROUP BY
    l.record_id
) AS f
  ON f.record_id = r.remittance_id
WHERE
  r.source = 'x12' AND NOT r.payment_date IS NULL AND NOT r.service_date IS NULL
UNION ALL
SELECT
  'status_and_payment',
  remittance_id,
  file_name,
  interchange,
  segment,
  'one thing',
  CASE
    WHEN claim_status_code = '4' AND paid_cents <> 0
    THEN 'denied, and paid'
    ELSE 'one thing'
  END
FROM answers_with_sums
WHERE
  NOT claim_status_code IS NULL

-- name: answered_lines_alike
SELECT
  'answered_line' AS check_name,
  remittance_line_id AS record_id,
  file_name,
  interchange,
  segment,
  'a line sent' AS expected,
  CASE WHEN match_kind = 'beyond' THEN 'none' ELSE 'a line sent' END AS found
FROM answered_lines
UNION ALL
SELECT
  'answered_number',
  remittance_line_id,
  file_name,
  interchange,
  segment,
  sent_number,
  answered_number
FROM answered_lines
WHERE
  match_kind <> 'beyond'
UNION ALL
SELECT
  'answered_code',
  remittance_line_id,
  file_name,
  interchange,
  segment,
  sent_code,
  CASE
    WHEN sent_code IN (answered_code, recoded_from)
    THEN sent_code
    ELSE answered_code
  END
FROM answered_lines
WHERE
  match_kind <> 'beyond'
UNION ALL
SELECT
  'answered_day',
  remittance_line_id,
  file_name,
  interchange,
  segment,
  CAST(sent_date AS STRING),
  CAST(CASE
    WHEN answered_date > sent_date AND answered_date <= sent_to_date
    THEN sent_date
    ELSE answered_date
  END AS STRING)
FROM answered_lines
WHERE
  match_kind <> 'beyond'
UNION ALL
SELECT
  'answered_units',
  remittance_line_id,
  file_name,
  interchange,
  segment,
  CAST(sent_units AS STRING),
  CAST(answered_units AS STRING)
FROM answered_lines
WHERE
  match_kind <> 'beyond'
UNION ALL
SELECT
  'answered_modifiers',
  remittance_line_id,
  file_name,
  interchange,
  segment,
  sent_modifiers,
  answered_modifiers
FROM answered_lines
WHERE
  match_kind <> 'beyond' AND sent_code = answered_code AND answered_modifiers <> ''

-- name: versions_in_order
SELECT
  'sent_day' AS check_name,
  claim_version_id AS record_id,
  file_name,
  interchange,
  segment,
  'a day of service' AS expected,
  CASE WHEN service_date IS NULL THEN 'none' ELSE 'a day of service' END AS found
FROM claims
UNION ALL
SELECT
  'sent_member',
  claim_version_id,
  file_name,
  interchange,
  segment,
  'a member number',
  CASE WHEN patient_id IS NULL THEN 'none' ELSE 'a member number' END
FROM claims
WHERE
  source = 'x12'
UNION ALL
SELECT
  'sent_diagnosis',
  claim_version_id,
  file_name,
  interchange,
  segment,
  'a principal diagnosis',
  CASE
    WHEN claim_version_id IN (
      SELECT
        claim_version_id
      FROM claim_diagnoses
      WHERE
        diagnosis_position = 1
    )
    THEN 'a principal diagnosis'
    ELSE 'none'
  END
FROM claims
WHERE
  source = 'x12'
UNION ALL
SELECT
  'sent_in_time_order',
  claim_version_id,
  file_name,
  interchange,
  segment,
  'in order',
  CASE
    WHEN COALESCE(onset_date, accident_date, service_date) > service_date
    OR COALESCE(accident_date, service_date) > service_date
    OR COALESCE(initial_treatment_date, service_date) > service_date
    THEN 'an event after the visit'
    WHEN service_to_date > submitted_date
    THEN 'sent before the visit'
    WHEN service_date < submitted_date - INTERVAL '10' YEAR
    THEN 'a visit ten years back'
    ELSE 'in order'
  END
FROM claims
WHERE
  NOT service_date IS NULL AND NOT submitted_date IS NULL

-- name: diagnoses_out_of_force
SELECT
  d.claim_version_id,
  COALESCE(
    MIN(k.diagnosis_code) || ' ended, now ' || MIN(k.replaced_by),
    MIN(CASE WHEN NOT b.diagnosis_code IS NULL THEN d.diagnosis_code END) || ' not yet in force, then still ' || MIN(b.diagnosis_code)
  ) AS found
FROM claim_diagnoses AS d
INNER JOIN claims AS c
  ON c.claim_version_id = d.claim_version_id
LEFT JOIN icd10_changes AS k
  ON k.diagnosis_code = d.diagnosis_code AND c.service_date > CAST(k.valid_to AS DATE)
LEFT JOIN icd10_changes AS b
  ON ';' || b.replaced_by || ';' LIKE '%;' || d.diagnosis_code || ';%'
  AND c.service_date <= CAST(b.valid_to AS DATE)
WHERE
  NOT k.diagnosis_code IS NULL OR NOT b.diagnosis_code IS NULL
GROUP BY
  d.claim_version_id

-- name: diagnoses_in_force
SELECT
  'sent_diagnosis_in_force' AS check_name,
  c.claim_version_id AS record_id,
  c.file_name,
  c.interchange,
  c.segment,
  'in force that day' AS expected,
  COALESCE(d.found, 'in force that day') AS found
FROM claims AS c
LEFT JOIN diagnoses_out_of_force AS d
  ON d.claim_version_id = c.claim_version_id
WHERE
  NOT c.service_date IS NULL
  AND c.claim_version_id IN (
    SELECT
      claim_version_id
    FROM claim_diagnoses
  )

-- name: sent_lines_in_order
SELECT
  'sent_day' AS check_name,
  s.service_line_id AS record_id,
  c.file_name,
  c.interchange,
  s.segment,
  'a day of service' AS expected,
  CASE WHEN s.service_date IS NULL THEN 'none' ELSE 'a day of service' END AS found
FROM service_lines AS s
INNER JOIN claims AS c
  ON c.claim_version_id = s.claim_version_id
WHERE
  c.source = 'x12'
UNION ALL
SELECT
  'sent_line_answered',
  s.service_line_id,
  c.file_name,
  c.interchange,
  s.segment,
  'an answer',
  CASE
    WHEN s.service_line_id IN (
      SELECT
        service_line_id
      FROM line_lineage
    )
    THEN 'an answer'
    ELSE 'none'
  END
FROM service_lines AS s
INNER JOIN claims AS c
  ON c.claim_version_id = s.claim_version_id
WHERE
  s.claim_version_id IN (
    SELECT
      q.claim_version_id
    FROM line_lineage AS l
    INNER JOIN service_lines AS q
      ON q.service_line_id = l.service_line_id
  )
UNION ALL
SELECT
  'sent_line_diagnosis',
  s.service_line_id,
  c.file_name,
  c.interchange,
  s.segment,
  'a diagnosis',
  CASE WHEN s.diagnosis_pointers = '' THEN 'none' ELSE 'a diagnosis' END
FROM service_lines AS s
INNER JOIN claims AS c
  ON c.claim_version_id = s.claim_version_id
WHERE
  c.source = 'x12'
UNION ALL
SELECT
  'sent_code_in_force',
  s.service_line_id,
  c.file_name,
  c.interchange,
  s.segment,
  'in force that day',
  CASE
    WHEN COALESCE(s.service_date, c.service_date) > CAST(p.valid_to AS DATE)
    THEN 'ended'
    WHEN COALESCE(s.service_date, c.service_date) < CAST(p.valid_from AS DATE)
    THEN 'not yet in force'
    ELSE 'in force that day'
  END
FROM service_lines AS s
INNER JOIN claims AS c
  ON c.claim_version_id = s.claim_version_id
INNER JOIN cpt AS p
  ON p.procedure_code = s.procedure_code
WHERE
  NOT COALESCE(s.service_date, c.service_date) IS NULL
UNION ALL
SELECT
  'sent_units',
  s.service_line_id,
  c.file_name,
  c.interchange,
  s.segment,
  'some units',
  CASE WHEN s.units > 0 THEN 'some units' WHEN s.units <= 0 THEN 'none' END
FROM service_lines AS s
INNER JOIN claims AS c
  ON c.claim_version_id = s.claim_version_id
WHERE
  s.charge_cents <> 0

-- name: reasons_in_force
SELECT
  'answered_reason_in_force' AS check_name,
  a.adjustment_id AS record_id,
  r.file_name,
  r.interchange,
  r.segment,
  'in force that day' AS expected,
  CASE
    WHEN r.payment_date > CAST(k.valid_to AS DATE)
    THEN a.reason_code || ' ended'
    ELSE 'in force that day'
  END AS found
FROM adjustments AS a
INNER JOIN remittances AS r
  ON r.remittance_id = a.remittance_id
INNER JOIN carc AS k
  ON k.reason_code = a.reason_code
WHERE
  r.source = 'x12' AND NOT r.payment_date IS NULL

-- name: file_counts
SELECT
  check_name,
  file_check_id AS record_id,
  file_name,
  interchange,
  segment,
  COALESCE(CAST(n_expected AS STRING), CASE WHEN is_holding THEN 'same' ELSE 'legible' END) AS expected,
  CASE
    WHEN is_holding
    THEN COALESCE(CAST(n_expected AS STRING), 'same')
    ELSE COALESCE(CAST(n_found AS STRING), 'none')
  END AS found
FROM file_checks

-- name: likenesses
SELECT
  *
FROM answers_alike
UNION ALL
SELECT
  *
FROM answered_lines_alike
UNION ALL
SELECT
  *
FROM versions_in_order
UNION ALL
SELECT
  *
FROM diagnoses_in_force
UNION ALL
SELECT
  *
FROM sent_lines_in_order
UNION ALL
SELECT
  *
FROM reasons_in_force
UNION ALL
SELECT
  *
FROM file_counts

-- name: held
SELECT
  check_name,
  record_id,
  file_name,
  interchange,
  segment,
  expected_cents,
  found_cents,
  CAST(NULL AS STRING) AS expected,
  CAST(NULL AS STRING) AS found,
  expected_cents = found_cents AS is_holding
FROM sums
UNION ALL
SELECT
  check_name,
  record_id,
  file_name,
  interchange,
  segment,
  NULL,
  NULL,
  expected,
  found,
  expected = found
FROM likenesses

-- name: checked
SELECT
  check_name,
  is_holding,
  CASE WHEN NOT is_holding THEN record_id END AS record_id,
  CASE WHEN NOT is_holding THEN file_name END AS file_name,
  CASE WHEN NOT is_holding THEN interchange END AS interchange,
  CASE WHEN NOT is_holding THEN segment END AS segment,
  CASE WHEN NOT is_holding THEN expected_cents END AS expected_cents,
  CASE WHEN NOT is_holding THEN found_cents END AS found_cents,
  CASE WHEN NOT is_holding THEN expected END AS expected,
  CASE WHEN NOT is_holding THEN found END AS found,
  COUNT(*) AS n_records
FROM held
GROUP BY
  1,
  2,
  3,
  4,
  5,
  6,
  7,
  8,
  9,
  10

-- name: imbalances
SELECT
  check_name,
  record_id,
  file_name,
  interchange,
  segment,
  expected_cents,
  found_cents,
  found_cents - expected_cents AS difference_cents,
  expected,
  found
FROM checked
WHERE
  NOT is_holding
ORDER BY
  file_name NULLS LAST,
  interchange NULLS LAST,
  segment NULLS LAST,
  check_name NULLS LAST,
  record_id NULLS LAST

-- name: checks
SELECT
  n.check_name,
  COALESCE(SUM(CASE WHEN NOT c.is_holding IS NULL THEN c.n_records END), 0) AS n_checked,
  COALESCE(SUM(CASE WHEN c.is_holding THEN c.n_records END), 0) AS n_holding,
  COALESCE(SUM(CASE WHEN c.is_holding IS NULL THEN c.n_records END), 0) AS n_unknown
FROM check_names AS n
LEFT JOIN checked AS c
  ON c.check_name = n.check_name
GROUP BY
  n.check_name,
  n.place
ORDER BY
  n.place NULLS LAST
