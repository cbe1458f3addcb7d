-- Which line sent an answered line is about. The statements run once for each way of matching in
-- turn (see __init__.py); the terms are the columns that must agree. Lines matched already are out
-- of play for their answer.

-- name: matched_by_number
-- The first way. A number that several lines share, or none has, names no line.
SELECT
    p.remittance_key,
    p.remittance_line_key,
    p.claim_key,
    o.service_line_id,
    o.slot,
    '{kind}' AS match_kind,
    false AS is_doubtful
FROM (
    SELECT
        remittance_key,
        number,
        min(remittance_line_key) AS remittance_line_key,
        min(claim_key) AS claim_key
    FROM open_parts{turn}
    WHERE number <> ''
    GROUP BY remittance_key, takes_back, number
    HAVING count(*) = 1
) AS p
INNER JOIN (
    SELECT remittance_key, number, min(service_line_id) AS service_line_id, min(slot) AS slot
    FROM offers{turn}
    WHERE number <> ''
    GROUP BY remittance_key, number
    HAVING count(*) = 1
) AS o ON o.remittance_key = p.remittance_key AND o.number = p.number

-- name: matched
SELECT
    p.remittance_key,
    p.remittance_line_key,
    p.claim_key,
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
            PARTITION BY remittance_key, takes_back, {terms} ORDER BY line_number
        ) AS place,
        count(*) OVER (PARTITION BY remittance_key, takes_back, {terms}) AS n_alike
    FROM open_parts{turn}
) AS p
INNER JOIN (
    SELECT
        *,
        row_number() OVER (PARTITION BY remittance_key, {terms} ORDER BY line_number) AS place,
        count(*) OVER (PARTITION BY remittance_key, {terms}) AS n_alike
    FROM offers{turn}
) AS o ON o.remittance_key = p.remittance_key AND o.place = p.place AND {agree}

-- name: open_parts
SELECT *
FROM open_parts{turn}
WHERE remittance_line_key NOT IN (SELECT remittance_line_key FROM matched{turn})

-- name: offers
SELECT *
FROM offers{turn} AS o
WHERE
    remittance_key IN (SELECT remittance_key FROM open_parts{next_turn})
    AND NOT EXISTS (
        SELECT 1
        FROM matched{turn} AS m
        WHERE m.remittance_key = o.remittance_key AND m.service_line_id = o.service_line_id
    )
