-- Made from outcomes/keys.sql by tools/spark_sql.py; do not edit.

-- name: claim_keys
SELECT
  claim_id,
  ROW_NUMBER() OVER (ORDER BY claim_id NULLS LAST) AS claim_key
FROM (
  SELECT DISTINCT
    claim_id
  FROM claim_lineage
) AS named

-- name: record_keys
SELECT
  l.record,
  l.record_id,
  ROW_NUMBER() OVER (ORDER BY l.record NULLS LAST, l.record_id NULLS LAST) AS record_key,
  k.claim_key
FROM claim_lineage AS l
INNER JOIN claim_keys AS k
  ON k.claim_id = l.claim_id

-- name: keyed_remittances
SELECT
  k.claim_key,
  k.record_key AS remittance_key,
  r.source,
  r.payment_id,
  r.position,
  r.patient_control_number,
  r.claim_status_code,
  r.claim_frequency_code,
  r.payer_claim_control_number,
  r.patient_id,
  r.payer_id,
  r.charge_cents,
  r.paid_cents,
  r.payment_date,
  r.service_date,
  r.stated_determination
FROM remittances AS r
INNER JOIN record_keys AS k
  ON k.record = 'remittance' AND k.record_id = r.remittance_id

-- name: keyed_remittance_lines
SELECT
  k.record_key AS remittance_key,
  s.remittance_line_id,
  ROW_NUMBER() OVER (ORDER BY s.remittance_line_id NULLS LAST) AS remittance_line_key,
  s.line_number,
  s.line_control_number,
  COALESCE(s.submitted_procedure_code, s.procedure_code) AS procedure_code,
  s.modifiers,
  s.service_date,
  s.charge_cents,
  s.paid_cents,
  s.allowed_cents,
  s.units < s.submitted_units AS is_cut_in_units
FROM remittance_lines AS s
INNER JOIN record_keys AS k
  ON k.record = 'remittance' AND k.record_id = s.remittance_id

-- name: keyed_adjustments
SELECT
  s.remittance_key,
  s.remittance_line_key,
  a.group_code,
  a.reason_code,
  a.amount_cents
FROM adjustments AS a
INNER JOIN keyed_remittance_lines AS s
  ON s.remittance_line_id = a.remittance_line_id
UNION ALL
SELECT
  k.record_key,
  NULL,
  a.group_code,
  a.reason_code,
  a.amount_cents
FROM adjustments AS a
INNER JOIN record_keys AS k
  ON k.record = 'remittance' AND k.record_id = a.remittance_id
WHERE
  a.remittance_line_id IS NULL

-- name: keyed_remarks
SELECT
  s.remittance_key,
  s.remittance_line_key,
  m.remark_id,
  m.remark_code
FROM remarks AS m
INNER JOIN keyed_remittance_lines AS s
  ON s.remittance_line_id = m.remittance_line_id
UNION ALL
SELECT
  k.record_key,
  NULL,
  m.remark_id,
  m.remark_code
FROM remarks AS m
INNER JOIN record_keys AS k
  ON k.record = 'remittance' AND k.record_id = m.remittance_id
WHERE
  m.remittance_line_id IS NULL
