-- The insurer's rules, as the practice noted them, that speak for each claim.
-- Inputs: claim_outcomes, line_outcomes, policies, plans.
-- Variable: state, the practice's own ('' where it states none).

-- name: claim_days
-- A claim without a plan takes the patient's only plan of that insurer.
SELECT
    o.claim_id,
    o.payer_id,
    coalesce(
        o.plan_id,
        CASE
            WHEN min(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id)
                = max(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id)
                THEN min(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id)
        END
    ) AS plan_id,
    coalesce(l.last_day, o.service_date) AS day
FROM claim_outcomes AS o
LEFT JOIN (
    SELECT claim_id, max(service_date) AS last_day FROM line_outcomes GROUP BY claim_id
) AS l ON l.claim_id = o.claim_id
WHERE o.payer_id IS NOT NULL

-- name: rules_that_speak
SELECT
    c.claim_id,
    p.rule,
    p.procedure_code,
    p.value,
    p.policy_id,
    CASE WHEN p.plan_id IS NULL THEN 0 ELSE 2 END + CASE WHEN p.state IS NULL THEN 0 ELSE 1 END
        AS precision_rank,
    p.effective_from
FROM claim_days AS c
INNER JOIN policies AS p
    ON
        p.payer_id = c.payer_id
        AND (p.plan_id IS NULL OR p.plan_id = c.plan_id)
        AND (p.state IS NULL OR p.state = getvariable('state'))
        AND (p.effective_from IS NULL OR p.effective_from <= c.day)
        AND (p.effective_to IS NULL OR p.effective_to >= c.day)
UNION ALL
SELECT
    c.claim_id,
    'visit_limit_year',
    CAST(NULL AS VARCHAR),
    CAST(l.visit_limit_year AS DOUBLE),
    CAST(NULL AS VARCHAR),
    -1,
    CAST(NULL AS DATE)
FROM claim_days AS c
INNER JOIN plans AS l ON l.payer_id = c.payer_id AND l.plan_id = c.plan_id
WHERE l.visit_limit_year IS NOT NULL

-- name: rules_in_force
SELECT claim_id, rule, coalesce(procedure_code, '') AS procedure_code, value, policy_id
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_id, rule, procedure_code
            ORDER BY precision_rank DESC, effective_from DESC NULLS LAST, value, policy_id
        ) AS place
    FROM rules_that_speak
) AS ranked
WHERE place = 1
ORDER BY claim_id, rule, procedure_code
