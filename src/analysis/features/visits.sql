-- A claim's place among the patient's visits, against every limit the practice knows.
-- Inputs: what patients.sql gathered by patient, authorizations, prescriptions.

-- name: served
-- A claim without a plan takes the patient's only plan of that insurer.
SELECT
    k.patient_id,
    c.claim_id,
    c.payer_id,
    coalesce(
        c.plan_id,
        CASE
            WHEN min(c.plan_id) OVER (PARTITION BY c.patient_key, c.payer_id)
                = max(c.plan_id) OVER (PARTITION BY c.patient_key, c.payer_id)
                THEN min(c.plan_id) OVER (PARTITION BY c.patient_key, c.payer_id)
        END
    ) AS plan_id,
    c.episode_id,
    c.service_date,
    c.control_number,
    c.authorization_number
FROM claims_of_patients AS c
INNER JOIN patient_keys AS k ON k.patient_key = c.patient_key

-- name: visit_lines
SELECT
    s.*,
    coalesce(l.service_date, s.service_date) AS visit_date,
    l.procedure_code,
    l.units
FROM served AS s
LEFT JOIN lines_of_patients AS l ON l.claim_id = s.claim_id

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
-- Weeks are begun ones: a visit seven days after the first lies in the second week.
SELECT
    c.claim_id,
    count(DISTINCT v.visit_date) AS n_visits_episode,
    date_diff('day', min(v.visit_date), c.visit_date) // 7 + 1 AS n_weeks_episode
FROM last_days AS c
INNER JOIN visit_days AS v ON v.episode_id = c.episode_id AND v.visit_date <= c.visit_date
GROUP BY c.claim_id, c.visit_date

-- name: rules
-- A rule on a code speaks for the claims that bill it.
SELECT r.claim_id, r.rule, r.procedure_code, r.value
FROM rules_of_patients AS r
WHERE
    r.procedure_code IS NULL
    OR EXISTS (
        SELECT 1 FROM visit_lines AS own
        WHERE own.claim_id = r.claim_id AND own.procedure_code = r.procedure_code
    )

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
WHERE r.rule = 'visit_limit_year'
GROUP BY r.claim_id, r.procedure_code, r.value

-- name: year_limits
-- The limit with the fewest visits left is the one that counts.
SELECT claim_id, value, n_used
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_id ORDER BY value - n_used, value, procedure_code NULLS FIRST
        ) AS place
    FROM used_by_rule
) AS ranked
WHERE place = 1

-- name: tightest_rules
-- Frequency and duration hold for the visit, whatever is billed on it.
SELECT claim_id, rule, min(value) AS value
FROM rules
WHERE rule IN ('visits_per_week', 'weeks_per_episode')
GROUP BY claim_id, rule

-- name: minutes_noted
-- Sheets sent again say the same visit again, with more filled in. An empty code is the whole visit.
SELECT d.claim_id, d.visit_date, m.procedure_code, max(m.n_minutes) AS n_minutes
FROM visit_days AS d
INNER JOIN served AS s ON s.claim_id = d.claim_id
INNER JOIN minutes_of_patients AS m
    ON m.control_number = s.control_number AND m.service_date = d.visit_date
GROUP BY d.claim_id, d.visit_date, m.procedure_code

-- name: visit_minutes_by_day
SELECT
    claim_id,
    visit_date,
    greatest(
        sum(CASE WHEN procedure_code <> '' THEN n_minutes END),
        max(CASE WHEN procedure_code = '' THEN n_minutes END)
    ) AS n_minutes
FROM minutes_noted
GROUP BY claim_id, visit_date

-- name: amounts_by_rule
-- What a visit has of what a rule limits, or the most (n_most) and the least (n_least) it can have:
-- units of a line that states none are unknown; so are minutes of a code where only those of the
-- whole visit are written down.
SELECT
    r.claim_id,
    r.rule,
    r.value,
    l.visit_date,
    sum(l.units) AS n_least,
    CASE WHEN count(*) = count(l.units) THEN sum(l.units) END AS n_most
FROM rules AS r
INNER JOIN visit_lines AS l
    ON
        l.claim_id = r.claim_id
        AND (r.procedure_code IS NULL OR r.procedure_code = l.procedure_code)
WHERE r.rule = 'units_per_visit'
GROUP BY r.claim_id, r.rule, r.procedure_code, r.value, l.visit_date
UNION ALL
SELECT
    r.claim_id,
    r.rule,
    r.value,
    v.visit_date,
    CASE WHEN r.procedure_code IS NULL THEN v.n_minutes ELSE m.n_minutes END,
    CASE WHEN r.procedure_code IS NULL THEN v.n_minutes ELSE coalesce(m.n_minutes, v.n_minutes) END
FROM rules AS r
INNER JOIN visit_minutes_by_day AS v ON v.claim_id = r.claim_id
LEFT JOIN minutes_noted AS m
    ON
        m.claim_id = v.claim_id
        AND m.visit_date = v.visit_date
        AND m.procedure_code = r.procedure_code
WHERE r.rule = 'minutes_per_visit'

-- name: amount_checks
-- The rule that is passed by most, or that leaves least, stands for the claim.
SELECT
    claim_id,
    rule,
    value,
    CASE WHEN n_least = n_most THEN n_most END AS used,
    CASE WHEN is_some_past THEN true WHEN is_each_within THEN false END AS is_past
FROM (
    SELECT
        *,
        coalesce(bool_or(n_least > value) OVER of_claim, false) AS is_some_past,
        bool_and(coalesce(n_most <= value, false)) OVER of_claim AS is_each_within,
        row_number() OVER (
            PARTITION BY claim_id, rule
            ORDER BY coalesce(n_least, n_most, 0) - value DESC, visit_date, value
        ) AS place
    FROM amounts_by_rule
    WINDOW of_claim AS (PARTITION BY claim_id, rule)
) AS ranked
WHERE place = 1

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

-- name: prescribed
-- A renewal takes the place of what was prescribed before.
SELECT *
FROM (
    SELECT
        c.claim_id,
        c.visit_date,
        c.episode_id,
        p.*,
        row_number() OVER (
            PARTITION BY c.claim_id ORDER BY p.prescribed_date DESC, p.prescription_id DESC
        ) AS place
    FROM last_days AS c
    INNER JOIN prescriptions AS p
        ON
            p.patient_id = c.patient_id
            AND p.prescribed_date <= c.visit_date
    WHERE
        coalesce(p.diagnosis_codes, '') = ''
        OR EXISTS (
            SELECT 1
            FROM prescriptions_of_patients AS f
            WHERE f.prescription_id = p.prescription_id AND f.claim_id = c.claim_id
        )
) AS newest
WHERE place = 1

-- name: prescribed_used
SELECT
    p.claim_id,
    count(DISTINCT v.visit_date) AS n_used,
    date_diff('day', min(v.visit_date), p.visit_date) // 7 + 1 AS n_weeks
FROM prescribed AS p
INNER JOIN visit_days AS v
    ON
        v.episode_id = p.episode_id
        AND v.visit_date <= p.visit_date
        AND v.visit_date >= p.prescribed_date
GROUP BY p.claim_id, p.visit_date

-- name: known_limits
SELECT claim_id, 'visits_per_year' AS limit_kind, value AS allowed, n_used AS used,
    n_used > value AS is_past
FROM year_limits
UNION ALL
SELECT t.claim_id, t.rule, t.value, u.n_visits_week, u.n_visits_week > t.value
FROM tightest_rules AS t
INNER JOIN used_by_plan AS u ON u.claim_id = t.claim_id
WHERE t.rule = 'visits_per_week'
UNION ALL
SELECT t.claim_id, t.rule, t.value, e.n_weeks_episode, e.n_weeks_episode > t.value
FROM tightest_rules AS t
INNER JOIN used_in_episode AS e ON e.claim_id = t.claim_id
WHERE t.rule = 'weeks_per_episode'
UNION ALL
SELECT claim_id, rule, value, used, is_past FROM amount_checks
UNION ALL
SELECT a.claim_id, 'authorized_visits', a.n_visits_authorized,
    CASE WHEN d.n_at_least = d.n_at_most THEN d.n_at_most END,
    CASE
        WHEN d.n_at_least > a.n_visits_authorized THEN true
        WHEN d.n_at_most <= a.n_visits_authorized THEN false
    END
FROM authorized AS a
LEFT JOIN authorized_used AS d ON d.claim_id = a.claim_id
UNION ALL
SELECT p.claim_id, 'prescribed_visits', p.visits_prescribed, s.n_used,
    s.n_used > p.visits_prescribed
FROM prescribed AS p
INNER JOIN prescribed_used AS s ON s.claim_id = p.claim_id
WHERE p.visits_prescribed IS NOT NULL
UNION ALL
SELECT claim_id, 'prescription_days', date_diff('day', prescribed_date, expiry_date),
    date_diff('day', prescribed_date, visit_date), visit_date > expiry_date
FROM prescribed
WHERE expiry_date IS NOT NULL
UNION ALL
SELECT p.claim_id, 'prescribed_visits_per_week', p.visits_per_week, u.n_visits_week,
    u.n_visits_week > p.visits_per_week
FROM prescribed AS p
INNER JOIN used_by_plan AS u ON u.claim_id = p.claim_id
WHERE p.visits_per_week IS NOT NULL
UNION ALL
SELECT p.claim_id, 'prescribed_weeks', p.n_weeks, s.n_weeks, s.n_weeks > p.n_weeks
FROM prescribed AS p
INNER JOIN prescribed_used AS s ON s.claim_id = p.claim_id
WHERE p.n_weeks IS NOT NULL

-- name: counted_visits
SELECT
    s.claim_id,
    e.n_visits_episode,
    e.n_weeks_episode,
    u.n_visits_year,
    u.n_visits_week,
    m.n_units_visit
FROM served AS s
LEFT JOIN used_in_episode AS e ON e.claim_id = s.claim_id
LEFT JOIN used_by_plan AS u ON u.claim_id = s.claim_id
LEFT JOIN most_units AS m ON m.claim_id = s.claim_id
