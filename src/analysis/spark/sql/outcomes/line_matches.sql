-- Made from outcomes/line_matches.sql by tools/spark_sql.py; do not edit.

-- name: matched
SELECT
  p.remittance_line_id,
  p.claim_id,
  o.service_line_id,
  o.slot,
  '{kind}' AS match_kind,
  o.n_alike > 1 AS is_doubtful
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY remittance_id, takes_back, {terms} ORDER BY line_number NULLS LAST) AS place,
    COUNT(*) OVER (PARTITION BY remittance_id, takes_back, {terms}) AS n_alike
  FROM parts_in_claims
  WHERE
    NOT remittance_line_id IS NULL
    AND NOT remittance_line_id IN (
      SELECT
        remittance_line_id
      FROM line_matches
    )
) AS p
INNER JOIN (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY remittance_id, {terms} ORDER BY line_number NULLS LAST) AS place,
    COUNT(*) OVER (PARTITION BY remittance_id, {terms}) AS n_alike
  FROM offers AS f
  WHERE
    NOT EXISTS(
      SELECT
        1
      FROM line_matches AS m
      INNER JOIN parts_in_claims AS q
        ON q.remittance_line_id = m.remittance_line_id
      WHERE
        q.remittance_id = f.remittance_id AND m.service_line_id = f.service_line_id
    )
) AS o
  ON o.remittance_id = p.remittance_id AND o.place = p.place AND {agree}
WHERE
  {only}

-- name: line_matches
SELECT
  *
FROM line_matches
UNION ALL
SELECT
  *
FROM matched
