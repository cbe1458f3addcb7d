-- A claim's place among the patient's visits, against every limit the practice knows.
-- Inputs: claim_outcomes, line_outcomes, claims, authorizations, policies, plans.
-- Variable: state, the practice's own ('' where it states none).

-- name: served
-- A voided claim uses no visit. One without a plan takes the patient's only plan of that insurer.
SELECT
    o.claim_id,
    o.patient_id,
    o.payer_id,
    coalesce(
        o.plan_id,
        CASE
            WHEN min(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id)
                = max(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id)
                THEN min(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id)
        END
    ) AS plan_id,
    o.episode_id,
    o.service_date,
    upper(trim(c.authorization_number)) AS authorization_number
FROM claim_outcomes AS o
LEFT JOIN claims AS c ON c.claim_version_id = o.claim_id
WHERE
    o.final_determination <> 'voided'
    AND o.patient_id IS NOT NULL
    AND o.payer_id IS NOT NULL
    AND o.service_date IS NOT NULL

-- name: visit_lines
SELECT
    s.*,
    coalesce(l.service_date, s.service_date) AS visit_date,
    l.procedure_code,
    l.units
FROM served AS s
LEFT JOIN line_outcomes AS l ON l.claim_id = s.claim_id

-- name: visit_days
SELECT DISTINCT
    claim_id, patient_id, payer_id, plan_id, episode_id, authorization_number, visit_date
FROM visit_lines

-- name: last_days
-- A claim of several visits stands where its last one stands.
SELECT claim_id, patient_id, payer_id, plan_id, episode_id, max(visit_date) AS visit_date
FROM visit_days
GROUP BY claim_id, patient_id, payer_id, plan_id, episode_id

-- name: used_by_plan
SELECT
    c.claim_id,
    count(DISTINCT CASE WHEN year(v.visit_date) = year(c.visit_date) THEN v.visit_date END)
        AS n_visits_year,
    count(DISTINCT CASE WHEN date_diff('day', v.visit_date, c.visit_date) < 7 THEN v.visit_date END)
        AS n_visits_week
FROM last_days AS c
INNER JOIN visit_days AS v
    ON
        v.patient_id = c.patient_id
        AND v.payer_id = c.payer_id
        AND coalesce(v.plan_id, '') = coalesce(c.plan_id, '')
        AND v.visit_date <= c.visit_date
GROUP BY c.claim_id

-- name: used_in_episode
SELECT c.claim_id, count(DISTINCT v.visit_date) AS n_visits_episode
FROM last_days AS c
INNER JOIN visit_days AS v ON v.episode_id = c.episode_id AND v.visit_date <= c.visit_date
GROUP BY c.claim_id

-- name: rules_in_force
-- Every rule that speaks for the claim. The plan's own limit stands in where no policy is noted.
SELECT
    c.claim_id,
    p.rule,
    p.procedure_code,
    p.value,
    CASE WHEN p.plan_id IS NULL THEN 0 ELSE 2 END + CASE WHEN p.state IS NULL THEN 0 ELSE 1 END
        AS precision_rank,
    p.effective_from
FROM last_days AS c
INNER JOIN policies AS p
    ON
        p.payer_id = c.payer_id
        AND (p.plan_id IS NULL OR p.plan_id = c.plan_id)
        AND (p.state IS NULL OR p.state = getvariable('state'))
        AND (p.effective_from IS NULL OR p.effective_from <= c.visit_date)
        AND (p.effective_to IS NULL OR p.effective_to >= c.visit_date)
WHERE p.rule IN ('visit_limit_year', 'units_per_visit') AND p.value IS NOT NULL
UNION ALL
SELECT
    c.claim_id,
    'visit_limit_year',
    CAST(NULL AS VARCHAR),
    CAST(l.visit_limit_year AS DOUBLE),
    -1,
    CAST(NULL AS DATE)
FROM last_days AS c
INNER JOIN plans AS l ON l.payer_id = c.payer_id AND l.plan_id = c.plan_id
WHERE l.visit_limit_year IS NOT NULL

-- name: rules
-- Of several rules on the same thing the most particular one holds, then the newest.
SELECT claim_id, rule, procedure_code, value
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_id, rule, procedure_code
            ORDER BY precision_rank DESC, effective_from DESC NULLS LAST, value
        ) AS place
    FROM rules_in_force
) AS ranked
WHERE place = 1

-- name: used_by_rule
-- A limit on one code counts the visits on which that code was billed.
SELECT r.claim_id, r.procedure_code, r.value, count(DISTINCT v.visit_date) AS n_used
FROM rules AS r
INNER JOIN last_days AS c ON c.claim_id = r.claim_id
INNER JOIN visit_lines AS v
    ON
        v.patient_id = c.patient_id
        AND v.payer_id = c.payer_id
        AND coalesce(v.plan_id, '') = coalesce(c.plan_id, '')
        AND year(v.visit_date) = year(c.visit_date)
        AND v.visit_date <= c.visit_date
        AND (r.procedure_code IS NULL OR r.procedure_code = v.procedure_code)
WHERE
    r.rule = 'visit_limit_year'
    AND (
        r.procedure_code IS NULL
        OR EXISTS (
            SELECT 1 FROM visit_lines AS own
            WHERE own.claim_id = r.claim_id AND own.procedure_code = r.procedure_code
        )
    )
GROUP BY r.claim_id, r.procedure_code, r.value

-- name: limits
-- The limit with the fewest visits left is the one that counts.
SELECT
    claim_id,
    CAST(value AS BIGINT) AS visit_limit_year,
    CAST(value AS BIGINT) - n_used AS n_visits_left_year
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_id ORDER BY value - n_used, value, procedure_code NULLS FIRST
        ) AS place
    FROM used_by_rule
) AS ranked
WHERE place = 1

-- name: unit_sums
-- Units of a line that states none are unknown, so the sum is then only a least number.
SELECT
    r.claim_id,
    r.value,
    l.visit_date,
    sum(l.units) AS n_units,
    count(*) = count(l.units) AS is_whole
FROM rules AS r
INNER JOIN visit_lines AS l
    ON
        l.claim_id = r.claim_id
        AND (r.procedure_code IS NULL OR r.procedure_code = l.procedure_code)
WHERE r.rule = 'units_per_visit'
GROUP BY r.claim_id, r.procedure_code, r.value, l.visit_date

-- name: unit_checks
SELECT
    claim_id,
    min(value) AS units_limit,
    CASE
        WHEN max(CASE WHEN n_units > value THEN 1 ELSE 0 END) = 1 THEN true
        WHEN min(CASE WHEN is_whole THEN 1 ELSE 0 END) = 1 THEN false
    END AS is_past_units
FROM unit_sums
GROUP BY claim_id

-- name: most_units
-- The visit with most units; unknown when a line of the claim states none.
SELECT
    claim_id,
    CASE WHEN min(CASE WHEN is_whole THEN 1 ELSE 0 END) = 1 THEN max(n_units) END AS n_units_visit
FROM (
    SELECT claim_id, visit_date, sum(units) AS n_units, count(*) = count(units) AS is_whole
    FROM visit_lines
    GROUP BY claim_id, visit_date
) AS days
GROUP BY claim_id

-- name: fitting
-- The authorizations a visit may have used. A claim that names its number says which one it is.
SELECT DISTINCT v.claim_id, v.patient_id, v.visit_date, z.authorization_id, z.visits_authorized
FROM visit_lines AS v
INNER JOIN authorizations AS z
    ON
        z.patient_id = v.patient_id
        AND z.payer_id = v.payer_id
        AND lower(z.status) = 'approved'
        AND z.start_date <= v.visit_date
        AND z.end_date >= v.visit_date
        AND (
            coalesce(z.procedure_codes, '') = ''
            OR ':' || z.procedure_codes || ':' LIKE '%:' || v.procedure_code || ':%'
        )
        AND (
            v.authorization_number IS NULL
            OR upper(trim(z.authorization_number)) = v.authorization_number
        )

-- name: authorized
SELECT
    f.claim_id,
    f.patient_id,
    f.visit_date,
    CASE WHEN count(*) = count(f.visits_authorized) THEN sum(f.visits_authorized) END
        AS n_visits_authorized
FROM fitting AS f
INNER JOIN last_days AS c ON c.claim_id = f.claim_id AND c.visit_date = f.visit_date
GROUP BY f.claim_id, f.patient_id, f.visit_date

-- name: drawn_on
-- How many of the authorizations open to an earlier visit are open to this claim as well.
SELECT
    a.claim_id,
    e.claim_id AS earlier_claim_id,
    e.visit_date,
    count(*) AS n_open,
    count(own.authorization_id) AS n_shared
FROM authorized AS a
INNER JOIN fitting AS e ON e.patient_id = a.patient_id AND e.visit_date <= a.visit_date
LEFT JOIN fitting AS own
    ON
        own.claim_id = a.claim_id
        AND own.visit_date = a.visit_date
        AND own.authorization_id = e.authorization_id
GROUP BY a.claim_id, e.claim_id, e.visit_date

-- name: authorized_used
-- A visit that had another authorization open as well may have used that one.
SELECT
    claim_id,
    count(DISTINCT CASE WHEN n_shared = n_open THEN visit_date END) AS n_at_least,
    count(DISTINCT CASE WHEN n_shared > 0 THEN visit_date END) AS n_at_most
FROM drawn_on
GROUP BY claim_id

-- name: visit_counts
SELECT
    o.claim_id,
    e.n_visits_episode,
    u.n_visits_year,
    u.n_visits_week,
    l.visit_limit_year,
    l.n_visits_left_year,
    l.n_visits_left_year < 0 AS is_past_visit_limit,
    a.n_visits_authorized,
    CASE WHEN d.n_at_least = d.n_at_most THEN d.n_at_most END AS n_authorized_visits_used,
    CASE WHEN d.n_at_least = d.n_at_most THEN a.n_visits_authorized - d.n_at_most END
        AS n_authorized_visits_left,
    CASE
        WHEN d.n_at_least > a.n_visits_authorized THEN true
        WHEN d.n_at_most <= a.n_visits_authorized THEN false
    END AS is_past_authorization,
    m.n_units_visit,
    k.units_limit,
    k.is_past_units
FROM claim_outcomes AS o
LEFT JOIN used_in_episode AS e ON e.claim_id = o.claim_id
LEFT JOIN used_by_plan AS u ON u.claim_id = o.claim_id
LEFT JOIN limits AS l ON l.claim_id = o.claim_id
LEFT JOIN authorized AS a ON a.claim_id = o.claim_id
LEFT JOIN authorized_used AS d ON d.claim_id = o.claim_id
LEFT JOIN most_units AS m ON m.claim_id = o.claim_id
LEFT JOIN unit_checks AS k ON k.claim_id = o.claim_id
ORDER BY o.claim_id
