-- Made from outcomes/no_matches.sql by tools/spark_sql.py; do not edit.

-- name: line_matches
SELECT
  remittance_line_id,
  claim_id,
  '' AS service_line_id,
  '' AS slot,
  '' AS match_kind,
  FALSE AS is_doubtful
FROM parts_in_claims
WHERE
  FALSE
