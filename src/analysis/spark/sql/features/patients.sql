-- Made from features/patients.sql by tools/spark_sql.py; do not edit.

-- name: patient_keys
SELECT
  patient_id,
  ROW_NUMBER() OVER (ORDER BY patient_id NULLS LAST) AS patient_key
FROM (
  SELECT DISTINCT
    patient_id
  FROM claim_outcomes
  WHERE
    NOT patient_id IS NULL
) AS named

-- name: claims_of_patients
SELECT
  k.patient_key,
  o.claim_id,
  o.payer_id,
  o.plan_id,
  o.episode_id,
  o.service_date,
  UPPER(TRIM(o.patient_control_number)) AS control_number,
  UPPER(TRIM(c.authorization_number)) AS authorization_number
FROM patient_keys AS k
INNER JOIN claim_outcomes AS o
  ON o.patient_id = k.patient_id
LEFT JOIN claims AS c
  ON c.claim_version_id = o.claim_id
WHERE
  o.final_determination <> 'voided'
  AND NOT o.payer_id IS NULL
  AND NOT o.service_date IS NULL

-- name: lines_of_patients
SELECT
  c.patient_key,
  l.claim_id,
  l.service_date,
  l.procedure_code,
  l.units
FROM claims_of_patients AS c
INNER JOIN line_outcomes AS l
  ON l.claim_id = c.claim_id

-- name: rules_of_patients
SELECT
  c.patient_key,
  r.claim_id,
  r.rule,
  NULLIF(r.procedure_code, '') AS procedure_code,
  r.value
FROM claims_of_patients AS c
INNER JOIN rules_in_force AS r
  ON r.claim_id = c.claim_id
WHERE
  NOT r.value IS NULL

-- name: minutes_of_patients
SELECT
  c.patient_key,
  c.control_number,
  m.service_date,
  COALESCE(m.procedure_code, '') AS procedure_code,
  m.n_minutes
FROM (
  SELECT DISTINCT
    patient_key,
    control_number
  FROM claims_of_patients
) AS c
INNER JOIN visit_minutes AS m
  ON UPPER(TRIM(m.patient_control_number)) = c.control_number

-- name: prescriptions_of_patients
SELECT
  c.patient_key,
  f.claim_id,
  f.prescription_id
FROM claims_of_patients AS c
INNER JOIN fitting_prescriptions AS f
  ON f.claim_id = c.claim_id
