-- Made from features/prescribed.sql by tools/spark_sql.py; do not edit.

-- name: prescribed_codes
SELECT
  p.prescription_id,
  p.patient_id,
  n.code
FROM prescriptions AS p
LATERAL VIEW
EXPLODE(SPLIT(p.diagnosis_codes, CONCAT('\\Q', ':', '\\E'))) n AS code

-- name: fitting_prescriptions
SELECT DISTINCT
  n.prescription_id,
  o.claim_id
FROM prescribed_codes AS n
INNER JOIN claim_outcomes AS o
  ON o.patient_id = n.patient_id
INNER JOIN claim_diagnoses AS d
  ON d.claim_version_id = o.claim_id AND STARTSWITH(d.diagnosis_code, n.code)
