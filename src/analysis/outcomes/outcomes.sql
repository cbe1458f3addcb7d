-- The table of claims that leaves this step: what each came to, with what it is about and its place
-- among the patient's claims.
-- Inputs: payers, provider_adjustments, provider_adjustment_lineage, and the stages of keys.sql,
-- histories.sql and appeals.sql. Variables: as_of_date, default_maturity_days.

-- name: courses
-- A patient's claims for one condition.
SELECT
    patient_id,
    condition_group,
    row_number() OVER (ORDER BY patient_id, condition_group) AS course_key
FROM (
    SELECT DISTINCT patient_id, condition_group
    FROM claim_histories
    WHERE patient_id IS NOT NULL AND service_date IS NOT NULL
) AS known

-- name: visits
SELECT
    claim_key,
    course_key,
    service_date,
    CASE
        WHEN
            lag(service_date) OVER (PARTITION BY course_key ORDER BY service_date, claim_key)
            >= service_date - INTERVAL 90 DAY
            THEN 0
        ELSE 1
    END AS starts_episode
FROM (
    SELECT f.claim_key, f.service_date, c.course_key
    FROM claim_histories AS f
    INNER JOIN courses AS c
        ON c.patient_id = f.patient_id AND c.condition_group = f.condition_group
    WHERE f.service_date IS NOT NULL
) AS dated

-- name: episode_numbers
SELECT
    *,
    sum(starts_episode) OVER (PARTITION BY course_key ORDER BY service_date, claim_key)
        AS episode_number
FROM visits

-- name: episodes
SELECT
    claim_key,
    episode_number,
    dense_rank() OVER (PARTITION BY course_key, episode_number ORDER BY service_date)
        AS visit_number
FROM episode_numbers

-- name: maturity
-- Only claims old enough for a slow answer to have come tell how long answers take.
SELECT
    coalesce(
        CAST(
            percentile_disc(0.95) WITHIN GROUP (ORDER BY days_to_first_determination) AS BIGINT
        ),
        getvariable('default_maturity_days')
    ) AS maturity_days
FROM claim_histories
WHERE
    first_determination IN ('approved', 'partially_approved', 'denied')
    AND first_date >= submitted_date
    AND submitted_date <= getvariable('as_of_date') - INTERVAL 180 DAY

-- name: moved_outside
-- Recoupments, interest and the like that the insurer settled in PLB, where it names the claim.
SELECT k.claim_key, sum(p.amount_cents) AS moved_cents
FROM provider_adjustments AS p
INNER JOIN provider_adjustment_lineage AS t
    ON t.provider_adjustment_id = p.provider_adjustment_id
INNER JOIN claim_keys AS k ON k.claim_id = t.claim_id
GROUP BY k.claim_key

-- name: claim_outcomes
SELECT
    f.claim_id,
    f.patient_control_number,
    f.patient_id,
    f.payer_id,
    f.plan_id,
    coalesce(p.payer_type, 'unknown') AS payer_type,
    f.condition_group,
    f.patient_id || '-' || f.condition_group || '-' || CAST(e.episode_number AS VARCHAR)
        AS episode_id,
    e.visit_number,
    f.service_date,
    f.submitted_date,
    f.n_versions,
    f.n_remittances,
    f.charge_cents,
    f.allowed_cents,
    f.paid_cents,
    coalesce(o.moved_cents, 0) AS moved_outside_cents,
    f.patient_responsibility_cents,
    f.first_determination,
    f.first_date AS first_determination_date,
    f.days_to_first_determination,
    f.final_determination,
    f.final_date AS final_determination_date,
    f.denial_category,
    f.denial_reason_code,
    f.denial_remark_code,
    f.final_denial_category,
    f.outcome_source,
    f.is_corrected,
    f.is_reversed,
    f.reversal_reason,
    x.outcome AS appeal_outcome,
    CASE
        WHEN f.service_date > getvariable('as_of_date') THEN 'service in the future'
        WHEN f.service_date > f.submitted_date THEN 'service after submission'
        WHEN f.service_date > f.first_date THEN 'service after the answer'
        WHEN f.service_date < getvariable('as_of_date') - INTERVAL 20 YEAR THEN 'service long ago'
    END AS date_problem,
    getvariable('as_of_date') AS as_of_date,
    (SELECT maturity_days FROM maturity) AS maturity_days,
    coalesce(
        f.submitted_date
        <= getvariable('as_of_date') - CAST((SELECT maturity_days FROM maturity) AS INTEGER),
        false
    ) AS is_mature
FROM claim_histories AS f
LEFT JOIN episodes AS e ON e.claim_key = f.claim_key
LEFT JOIN last_appeals AS x ON x.claim_id = f.claim_id
LEFT JOIN moved_outside AS o ON o.claim_key = f.claim_key
LEFT JOIN payers AS p ON p.payer_id = f.payer_id
ORDER BY f.submitted_date NULLS LAST, f.claim_key
