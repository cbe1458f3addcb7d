-- One turn of joining versions to claims (see lineage.py): every linked version takes the smallest
-- label among its own and those of the versions linked to it. Repeated until none changes.

-- name: spread
SELECT version_order, min(label) AS label
FROM (
    SELECT version_order, label FROM labels
    UNION ALL
    SELECT k.version_order, l.label
    FROM links AS k
    INNER JOIN labels AS l ON l.version_order = k.earlier_order
    UNION ALL
    SELECT k.earlier_order, l.label
    FROM links AS k
    INNER JOIN labels AS l ON l.version_order = k.version_order
) AS met
GROUP BY version_order

-- name: changed
SELECT count(*) AS n_changed
FROM spread AS s
INNER JOIN labels AS l ON l.version_order = s.version_order
WHERE s.label < l.label

-- name: labels
SELECT version_order, label
FROM spread
