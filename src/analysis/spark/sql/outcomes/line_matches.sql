-- Made from outcomes/line_matches.sql by tools/spark_sql.py; do not edit.

-- name: matched_by_number
SELECT
  p.remittance_key,
  p.remittance_line_key,
  p.claim_key,
  o.service_line_id,
  o.slot,
  '{kind}' AS match_kind,
  FALSE AS is_doubtful
FROM (
  SELECT
    remittance_key,
    number,
    MIN(remittance_line_key) AS remittance_line_key,
    MIN(claim_key) AS claim_key
  FROM open_parts{turn}
  WHERE
    number <> ''
  GROUP BY
    remittance_key,
    takes_back,
    number
  HAVING
    COUNT(*) = 1
) AS p
INNER JOIN (
  SELECT
    remittance_key,
    number,
    MIN(service_line_id) AS service_line_id,
    MIN(slot) AS slot
  FROM offers{turn}
  WHERE
    number <> ''
  GROUP BY
    remittance_key,
    number
  HAVING
    COUNT(*) = 1
) AS o
  ON o.remittance_key = p.remittance_key AND o.number = p.number

-- name: matched
SELECT
  p.remittance_key,
  p.remittance_line_key,
  p.claim_key,
  o.service_line_id,
  o.slot,
  '{kind}' AS match_kind,
  o.n_alike > 1 AS is_doubtful
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY remittance_key, takes_back, {terms}
      ORDER BY line_number NULLS LAST
    ) AS place,
    COUNT(*) OVER (PARTITION BY remittance_key, takes_back, {terms}) AS n_alike
  FROM open_parts{turn}
) AS p
INNER JOIN (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY remittance_key, {terms} ORDER BY line_number NULLS LAST) AS place,
    COUNT(*) OVER (PARTITION BY remittance_key, {terms}) AS n_alike
  FROM offers{turn}
) AS o
  ON o.remittance_key = p.remittance_key AND o.place = p.place AND {agree}

-- name: open_parts
SELECT
  *
FROM open_parts{turn}
WHERE
  NOT remittance_line_key IN (
    SELECT
      remittance_line_key
    FROM matched{turn}
  )

-- name: offers
SELECT
  *
FROM offers{turn} AS o
WHERE
  remittance_key IN (
    SELECT
      remittance_key
    FROM open_parts{next_turn}
  )
  AND NOT EXISTS(
    SELECT
      1
    FROM matched{turn} AS m
    WHERE
      m.remittance_key = o.remittance_key AND m.service_line_id = o.service_line_id
  )
