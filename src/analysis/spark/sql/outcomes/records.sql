-- Made from outcomes/records.sql by tools/spark_sql.py; do not edit.

-- name: versions_in_turn
SELECT
  claim_version_key,
  ROW_NUMBER() OVER (
    PARTITION BY claim_key
    ORDER BY submitted_date, claim_frequency_code NULLS LAST, claim_version_key NULLS LAST
  ) AS version_number
FROM versions_in_claims
WHERE
  claim_key IN (
    SELECT
      claim_key
    FROM versions_in_claims
    GROUP BY
      claim_key
    HAVING
      COUNT(*) > 1
  )

-- name: versions
SELECT
  v.*,
  COALESCE(v.payer_sequence_code, 'P') = 'P' AS is_primary,
  COALESCE(v.claim_frequency_code, '1') = '8' AS is_void,
  COALESCE(t.version_number, 1) AS version_number
FROM versions_in_claims AS v
LEFT JOIN versions_in_turn AS t
  ON t.claim_version_key = v.claim_version_key

-- name: keyed_remittance_lines
SELECT
  *,
  remittance_key * 4294967296 + line_number AS remittance_line_key
FROM remittance_lines_in_claims

-- name: keyed_adjustments
SELECT
  a.remittance_key,
  s.remittance_line_key,
  a.group_code,
  a.reason_code,
  a.amount_cents
FROM adjustments_in_claims AS a
LEFT JOIN keyed_remittance_lines AS s
  ON s.remittance_line_id = a.remittance_line_id

-- name: keyed_remarks
SELECT
  m.remittance_key,
  s.remittance_line_key,
  m.remark_id,
  m.remark_code
FROM remarks_in_claims AS m
LEFT JOIN keyed_remittance_lines AS s
  ON s.remittance_line_id = m.remittance_line_id
