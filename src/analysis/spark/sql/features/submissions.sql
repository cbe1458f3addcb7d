-- Made from features/submissions.sql by tools/spark_sql.py; do not edit.

-- name: claim_keys
SELECT
  claim_id,
  ROW_NUMBER() OVER (ORDER BY claim_id NULLS LAST) AS claim_key
FROM claim_outcomes
WHERE
  claim_id IN (
    SELECT
      claim_version_id
    FROM claims
  )

-- name: submissions
SELECT
  k.claim_key,
  k.claim_id,
  UPPER(TRIM(c.patient_control_number)) AS control_number,
  c.patient_id,
  c.payer_id,
  c.service_date,
  COALESCE(c.service_to_date, c.service_date) AS service_to_date,
  c.submitted_date,
  c.authorization_number,
  c.referral_number,
  c.referring_provider_id,
  c.rendering_provider_id,
  COALESCE(c.onset_date, c.accident_date, c.initial_treatment_date) AS first_date,
  ':' || COALESCE(c.attachment_codes, '') || ':' AS attachment_codes,
  ':' || COALESCE(c.note_codes, '') || ':' AS note_codes,
  o.payer_type,
  o.condition_group,
  COALESCE(o.visit_number, 1) AS visit_number
FROM claim_keys AS k
INNER JOIN claims AS c
  ON c.claim_version_id = k.claim_id
INNER JOIN claim_outcomes AS o
  ON o.claim_id = k.claim_id

-- name: lines_of_submissions
SELECT
  k.claim_key,
  l.procedure_code,
  l.authorization_number
FROM claim_keys AS k
INNER JOIN service_lines AS l
  ON l.claim_version_id = k.claim_id

-- name: diagnosed_submissions
SELECT DISTINCT
  k.claim_key
FROM claim_keys AS k
INNER JOIN claim_diagnoses AS d
  ON d.claim_version_id = k.claim_id

-- name: rules_for_submissions
SELECT
  k.claim_key,
  r.rule,
  r.procedure_code,
  r.value
FROM claim_keys AS k
INNER JOIN rules_in_force AS r
  ON r.claim_id = k.claim_id
WHERE
  r.rule = 'referral_required'
  OR (
    r.rule = 'authorization_after_visit' AND NOT r.value IS NULL
  )

-- name: prescriptions_for_submissions
SELECT
  k.claim_key,
  f.prescription_id
FROM claim_keys AS k
INNER JOIN fitting_prescriptions AS f
  ON f.claim_id = k.claim_id

-- name: noted_answers
SELECT
  s.claim_key,
  a.item_id,
  a.service_date,
  a.status,
  a.existed_date
FROM submissions AS s
INNER JOIN attested_documents AS a
  ON UPPER(TRIM(a.patient_control_number)) = s.control_number
  AND (
    a.service_date IS NULL
    OR (
      a.service_date >= s.service_date AND a.service_date <= s.service_to_date
    )
  )
WHERE
  a.status <> 'unknown'
UNION ALL
SELECT
  s.claim_key,
  'D08_minutes',
  m.service_date,
  'present',
  CAST(NULL AS DATE)
FROM submissions AS s
INNER JOIN visit_minutes AS m
  ON UPPER(TRIM(m.patient_control_number)) = s.control_number
  AND m.service_date >= s.service_date
  AND m.service_date <= s.service_to_date

-- name: remarks_on_submissions
SELECT
  s.claim_key,
  k.item_id,
  k.remark_code,
  r.payment_date
FROM claim_keys AS s
INNER JOIN claim_lineage AS l
  ON l.record = 'remittance' AND l.claim_id = s.claim_id
INNER JOIN remarks AS m
  ON m.remittance_id = l.record_id
INNER JOIN rarc AS k
  ON k.remark_code = m.remark_code
INNER JOIN checklist AS i
  ON i.item_id = k.item_id
LEFT JOIN remittances AS r
  ON r.remittance_id = l.record_id
