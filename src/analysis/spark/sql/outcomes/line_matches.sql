-- Made from outcomes/line_matches.sql by tools/spark_sql.py; do not edit.

-- name: matched
SELECT
  p.remittance_id,
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
  FROM open_parts{turn}
) AS p
INNER JOIN (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY remittance_id, {terms} ORDER BY line_number NULLS LAST) AS place,
    COUNT(*) OVER (PARTITION BY remittance_id, {terms}) AS n_alike
  FROM offers{turn}
) AS o
  ON o.remittance_id = p.remittance_id AND o.place = p.place AND {agree}
WHERE
  {only}

-- name: open_parts
SELECT
  *
FROM open_parts{turn}
WHERE
  NOT remittance_line_id IN (
    SELECT
      remittance_line_id
    FROM matched{turn}
  )

-- name: offers
SELECT
  *
FROM offers{turn} AS o
WHERE
  remittance_id IN (
    SELECT
      remittance_id
    FROM open_parts{next_turn}
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM matched{turn} AS m
    WHERE
      m.remittance_id = o.remittance_id AND m.service_line_id = o.service_line_id
  )
