-- Which line sent an answered line is about. Run once for each way of matching in
-- turn (see __init__.py); the terms are the columns that must agree. Lines matched
-- already are out of play for their answer.

-- name: matched
SELECT
    p.remittance_line_id,
    p.claim_id,
    o.service_line_id,
    o.slot,
    '{kind}' AS match_kind,
    -- Several lines agree in these terms, so order alone told them apart.
    o.n_alike > 1 AS is_doubtful
FROM (
    SELECT
        *,
        -- A line taken back and the line in its place are both about the line sent.
        row_number() OVER (
            PARTITION BY remittance_id, takes_back, {terms} ORDER BY line_number
        ) AS place,
        count(*) OVER (PARTITION BY remittance_id, takes_back, {terms}) AS n_alike
    FROM parts_in_claims
    WHERE
        remittance_line_id IS NOT NULL
        AND remittance_line_id NOT IN (SELECT remittance_line_id FROM line_matches)
) AS p
INNER JOIN (
    SELECT
        *,
        row_number() OVER (PARTITION BY remittance_id, {terms} ORDER BY line_number) AS place,
        count(*) OVER (PARTITION BY remittance_id, {terms}) AS n_alike
    FROM offers AS f
    WHERE
        NOT EXISTS (
            SELECT 1
            FROM line_matches AS m
            INNER JOIN parts_in_claims AS q ON q.remittance_line_id = m.remittance_line_id
            WHERE q.remittance_id = f.remittance_id AND m.service_line_id = f.service_line_id
        )
) AS o ON o.remittance_id = p.remittance_id AND o.place = p.place AND {agree}
WHERE {only}

-- name: line_matches
SELECT * FROM line_matches
UNION ALL
SELECT * FROM matched
