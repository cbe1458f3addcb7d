-- Made from claims/spreading.sql by tools/spark_sql.py; do not edit.

-- name: spread
SELECT
  k.claim_version_id,
  MIN(m.label) AS label
FROM version_keys AS k
INNER JOIN (
  SELECT
    j.version_key,
    MIN(l.label) AS label
  FROM version_keys AS j
  INNER JOIN labels AS l
    ON l.claim_version_id = j.claim_version_id
  GROUP BY
    j.version_key
) AS m
  ON m.version_key = k.version_key
GROUP BY
  k.claim_version_id

-- name: changed
SELECT
  COUNT(*) AS n_changed
FROM spread AS s
INNER JOIN labels AS l
  ON l.claim_version_id = s.claim_version_id
WHERE
  s.label < l.label

-- name: labels
SELECT
  claim_version_id,
  label
FROM spread
