-- Insurers and plans, from practice.toml and from what the files say. practice.toml comes first.

-- name: names_sent
-- The name each insurer is most often sent under; ties go to the first in the alphabet.
SELECT payer_id, payer_name
FROM (
    SELECT
        payer_id,
        payer_name,
        row_number() OVER (PARTITION BY payer_id ORDER BY count(*) DESC, payer_name) AS place
    FROM (
        SELECT payer_id, payer_name FROM claims
        UNION ALL
        SELECT payer_id, payer_name FROM payments
    ) AS sent
    WHERE payer_id IS NOT NULL AND payer_name IS NOT NULL
    GROUP BY payer_id, payer_name
) AS ranked
WHERE place = 1

-- name: types_sent
-- The kind of insurance by the most frequent filing indicator, which only claims state reliably:
-- a remittance's is looked at where the practice sent no claim file.
SELECT indicated.payer_id, known.payer_type
FROM (
    SELECT
        payer_id,
        filing_indicator_code,
        row_number() OVER (
            PARTITION BY payer_id ORDER BY min(source), count(*) DESC, filing_indicator_code
        ) AS place
    FROM (
        SELECT payer_id, filing_indicator_code, 1 AS source FROM claims
        UNION ALL
        SELECT payer_id, filing_indicator_code, 2 AS source FROM remittances
    ) AS sent
    WHERE payer_id IS NOT NULL AND filing_indicator_code IS NOT NULL
    GROUP BY payer_id, filing_indicator_code
) AS indicated
INNER JOIN filing_indicators AS known USING (filing_indicator_code)
WHERE indicated.place = 1

-- name: payers
SELECT
    met.payer_id,
    coalesce(stated.payer_name, names_sent.payer_name, met.payer_id) AS payer_name,
    coalesce(stated.payer_type, types_sent.payer_type, 'unknown') AS payer_type,
    CASE
        WHEN stated.payer_type IS NOT NULL THEN 'practice'
        WHEN types_sent.payer_type IS NOT NULL THEN 'filing_indicator'
        ELSE 'unknown'
    END AS payer_type_source,
    coalesce(stated.network_status, 'unknown') AS network_status,
    stated.network_since_date
FROM (
    SELECT payer_id FROM stated_payers
    UNION
    SELECT payer_id FROM claims WHERE payer_id IS NOT NULL
    UNION
    SELECT payer_id FROM payments WHERE payer_id IS NOT NULL
) AS met
LEFT JOIN stated_payers AS stated USING (payer_id)
LEFT JOIN names_sent USING (payer_id)
LEFT JOIN types_sent USING (payer_id)
ORDER BY stated.place NULLS LAST, met.payer_id

-- name: plan_names_sent
SELECT payer_id, plan_id, plan_name
FROM (
    SELECT
        payer_id,
        plan_id,
        plan_name,
        row_number() OVER (
            PARTITION BY payer_id, plan_id ORDER BY plan_name IS NULL, count(*) DESC, plan_name
        ) AS place
    FROM claims
    WHERE payer_id IS NOT NULL AND plan_id IS NOT NULL
    GROUP BY payer_id, plan_id, plan_name
) AS ranked
WHERE place = 1

-- name: plans
SELECT
    met.payer_id,
    met.plan_id,
    coalesce(stated.plan_name, plan_names_sent.plan_name, met.plan_id) AS plan_name,
    coalesce(stated.funding, 'unknown') AS funding,
    stated.visit_limit_year
FROM (
    SELECT payer_id, plan_id FROM stated_plans
    UNION
    SELECT payer_id, plan_id FROM plan_names_sent
) AS met
LEFT JOIN stated_plans AS stated USING (payer_id, plan_id)
LEFT JOIN plan_names_sent USING (payer_id, plan_id)
ORDER BY stated.place NULLS LAST, met.payer_id, met.plan_id
