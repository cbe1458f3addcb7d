-- One turn of joining versions to claims (see lineage.py): every version takes the smallest label
-- among the versions it shares a key with. Repeated until none changes.

-- name: spread
SELECT k.claim_version_id, min(m.label) AS label
FROM version_keys AS k
INNER JOIN (
    SELECT j.version_key, min(l.label) AS label
    FROM version_keys AS j
    INNER JOIN labels AS l ON l.claim_version_id = j.claim_version_id
    GROUP BY j.version_key
) AS m ON m.version_key = k.version_key
GROUP BY k.claim_version_id

-- name: changed
SELECT count(*) AS n_changed
FROM spread AS s
INNER JOIN labels AS l ON l.claim_version_id = s.claim_version_id
WHERE s.label < l.label

-- name: labels
SELECT claim_version_id, label
FROM spread
