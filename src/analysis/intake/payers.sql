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
WHERE indicated.place = 1 AND known.payer_type IS NOT NULL

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
    coalesce(stated.role, 'unknown') AS role,
    coalesce(stated.unit_rule, kinds.unit_rule, 'unknown') AS unit_rule,
    CASE
        WHEN stated.unit_rule IS NOT NULL THEN 'practice'
        WHEN kinds.unit_rule IS NOT NULL THEN 'payer_type'
        ELSE 'unknown'
    END AS unit_rule_source,
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
LEFT JOIN payer_types AS kinds
    ON kinds.payer_type = coalesce(stated.payer_type, types_sent.payer_type)
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

-- name: plan_facts
-- What the names that a plan's claims were sent under, and their filing indicators, say of it; null
-- where they disagree.
SELECT
    c.payer_id,
    c.plan_id,
    CASE WHEN min(n.funding) = max(n.funding) THEN min(nullif(n.funding, 'unknown')) END AS funding,
    CASE WHEN min(n.product) = max(n.product) THEN min(nullif(n.product, 'unknown')) END AS product,
    CASE WHEN min(f.product) = max(f.product) AND count(f.product) = count(c.filing_indicator_code)
        THEN min(f.product) END AS indicated_product
FROM claims AS c
LEFT JOIN payer_names AS n
    ON
        n.payer_id = c.payer_id
        AND trim(coalesce(n.name_as_written, '')) = trim(coalesce(c.payer_name, ''))
LEFT JOIN filing_indicators AS f ON f.filing_indicator_code = c.filing_indicator_code
WHERE c.payer_id IS NOT NULL AND c.plan_id IS NOT NULL
GROUP BY c.payer_id, c.plan_id

-- name: plans
SELECT
    met.payer_id,
    met.plan_id,
    coalesce(stated.plan_name, plan_names_sent.plan_name, met.plan_id) AS plan_name,
    coalesce(stated.funding, facts.funding, kinds.funding, 'unknown') AS funding,
    CASE
        WHEN stated.funding IS NOT NULL THEN 'practice'
        WHEN facts.funding IS NOT NULL THEN 'payer_alias'
        WHEN kinds.funding IS NOT NULL THEN 'payer_type'
        ELSE 'unknown'
    END AS funding_source,
    coalesce(stated.product, facts.product, facts.indicated_product, 'unknown') AS product,
    CASE
        WHEN stated.product IS NOT NULL THEN 'practice'
        WHEN facts.product IS NOT NULL THEN 'payer_alias'
        WHEN facts.indicated_product IS NOT NULL THEN 'filing_indicator'
        ELSE 'unknown'
    END AS product_source,
    stated.visit_limit_year
FROM (
    SELECT payer_id, plan_id FROM stated_plans
    UNION
    SELECT payer_id, plan_id FROM plan_names_sent
) AS met
LEFT JOIN stated_plans AS stated USING (payer_id, plan_id)
LEFT JOIN plan_names_sent USING (payer_id, plan_id)
LEFT JOIN plan_facts AS facts USING (payer_id, plan_id)
LEFT JOIN payers USING (payer_id)
LEFT JOIN payer_types AS kinds ON kinds.payer_type = payers.payer_type
ORDER BY stated.place NULLS LAST, met.payer_id, met.plan_id

-- name: network_periods_known
-- The practice's record, and the one status that practice.toml can state for each insurer.
SELECT * FROM network_periods
UNION ALL
SELECT
    'practice.toml-' || CAST(place AS VARCHAR),
    'practice.toml',
    place + 1,
    payer_id,
    CAST(NULL AS VARCHAR),
    network_status,
    network_since_date,
    CAST(NULL AS DATE),
    'practice.toml'
FROM stated_payers
WHERE network_status IS NOT NULL
