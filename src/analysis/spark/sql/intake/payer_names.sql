-- Made from intake/payer_names.sql by tools/spark_sql.py; do not edit.

-- name: met
SELECT
  'claims' AS met_in,
  payer_name,
  payer_id,
  COUNT(*) AS n_records
FROM claims
GROUP BY
  payer_name,
  payer_id
UNION ALL
SELECT
  'remittances' AS met_in,
  payer_name,
  payer_id,
  COUNT(*) AS n_records
FROM remittances
GROUP BY
  payer_name,
  payer_id
UNION ALL
SELECT
  'payments' AS met_in,
  payer_name,
  payer_id,
  COUNT(*) AS n_records
FROM payments
GROUP BY
  payer_name,
  payer_id

-- name: answered
SELECT DISTINCT
  r.payer_name,
  r.payer_id,
  c.payer_name AS claim_payer_name,
  c.payer_id AS claim_payer_id
FROM remittances AS r
INNER JOIN claims AS c
  ON UPPER(TRIM(c.patient_control_number)) = UPPER(TRIM(r.patient_control_number))
WHERE
  r.claim_status_code IS NULL
  OR NOT r.claim_status_code IN ('2', '3', '20', '21', '23', '25')
