-- A claim as known on the day of its first submission.
-- Inputs: claims, service_lines, claim_outcomes, network_periods, document_sums.
-- Of claim_outcomes only what stood before the submission is read: condition and visit.

-- name: visit_days
-- When a day's visit was first told of; null where only remittances tell.
SELECT episode_id, service_date, min(submitted_date) AS first_sent_date
FROM claim_outcomes
WHERE episode_id IS NOT NULL
GROUP BY episode_id, service_date

-- name: overtaken_visits
-- Earlier visits that were sent only after the claim: to whoever reads the files they are no visits
-- yet on the day that it is sent, and its chance is asked for on that day.
SELECT o.claim_id, count(*) AS n_sent_later
FROM claim_outcomes AS o
INNER JOIN visit_days AS d ON d.episode_id = o.episode_id
WHERE d.service_date < o.service_date AND d.first_sent_date > o.submitted_date
GROUP BY o.claim_id

-- name: submissions
SELECT
    c.*,
    o.payer_type,
    o.condition_group,
    o.visit_number - coalesce(v.n_sent_later, 0) AS visit_number
FROM claims AS c
INNER JOIN claim_outcomes AS o ON o.claim_id = c.claim_version_id
LEFT JOIN overtaken_visits AS v ON v.claim_id = o.claim_id

-- name: visits_in_year
SELECT
    claim_version_id,
    dense_rank() OVER (PARTITION BY patient_id, year(service_date) ORDER BY service_date)
        AS visit_number_in_year
FROM submissions
WHERE patient_id IS NOT NULL AND service_date IS NOT NULL

-- name: line_facts
SELECT
    claim_version_id,
    count(*) AS n_lines,
    sum(units) AS n_units,
    max(CASE WHEN procedure_code = '97124' THEN 1 ELSE 0 END) AS n_massage,
    max(CASE WHEN procedure_code = '97140' THEN 1 ELSE 0 END) AS n_manual_therapy,
    max(CASE WHEN authorization_number IS NOT NULL THEN 1 ELSE 0 END) AS n_authorized
FROM service_lines
GROUP BY claim_version_id

-- name: network_on_the_day
-- A period for the plan goes before one for the insurer, then the one that began last; two that
-- begin on one day and disagree tell nothing.
SELECT
    claim_version_id,
    CASE WHEN min(network_status) = max(network_status) THEN min(network_status) END
        AS network_status
FROM (
    SELECT
        s.claim_version_id,
        n.network_status,
        rank() OVER (
            PARTITION BY s.claim_version_id
            ORDER BY
                CASE WHEN n.plan_id IS NULL THEN 1 ELSE 0 END,
                n.effective_from DESC NULLS LAST
        ) AS place
    FROM submissions AS s
    INNER JOIN network_periods AS n
        ON
            n.payer_id = s.payer_id
            AND (n.plan_id IS NULL OR n.plan_id = s.plan_id)
            AND (n.effective_from IS NULL OR n.effective_from <= s.service_date)
            AND (n.effective_to IS NULL OR n.effective_to >= s.service_date)
) AS covering
WHERE place = 1
GROUP BY claim_version_id

-- name: claim_features
-- An item without a row is neither known nor asked for: not required.
SELECT
    s.claim_version_id AS claim_id,
    s.patient_id,
    coalesce(s.payer_id, 'unknown') AS payer_id,
    s.payer_type,
    coalesce(s.payer_id || '/' || s.plan_id, 'unknown') AS plan_id,
    coalesce(n.network_status, 'unknown') AS network_status,
    s.condition_group,
    s.service_date,
    s.submitted_date,
    date_diff('day', s.service_date, s.submitted_date)
        AS submission_lag_days,
    s.visit_number,
    y.visit_number_in_year,
    l.n_units,
    coalesce(l.n_lines, 0) AS n_lines,
    s.authorization_number IS NOT NULL OR coalesce(l.n_authorized, 0) = 1
        AS has_authorization_number,
    s.referral_number IS NOT NULL OR s.referring_provider_id IS NOT NULL AS has_referral,
    coalesce(l.n_massage, 0) = 1 AS has_massage_line,
    coalesce(l.n_manual_therapy, 0) = 1 AS has_manual_therapy_line,
    d.present_weight / nullif(d.present_weight + d.absent_weight, 0) AS completeness,
    (d.present_weight + d.absent_weight)
    / nullif(d.present_weight + d.absent_weight + d.unknown_weight, 0) AS completeness_coverage,
    d.present_weight + d.absent_weight AS known_weight,
    coalesce(d.n_required_absent, 0) AS n_required_absent,
    coalesce(d.n_required_unknown, 0) AS n_required_unknown,
    coalesce(d.n_gates_failed, 0) AS n_gates_failed,
    coalesce(d.prescription, 'not_required') AS prescription,
    coalesce(d.authorization_status, 'not_required') AS authorization,
    coalesce(d.plan_of_care, 'not_required') AS plan_of_care,
    coalesce(d.treatment_note, 'not_required') AS treatment_note,
    coalesce(d.minutes, 'not_required') AS minutes,
    coalesce(d.initial_eval, 'not_required') AS initial_eval,
    coalesce(d.progress_report, 'not_required') AS progress_report,
    coalesce(d.necessity_rationale, 'not_required') AS necessity_rationale,
    coalesce(d.benefit_verification, 'not_required') AS benefit_verification
FROM submissions AS s
LEFT JOIN visits_in_year AS y ON y.claim_version_id = s.claim_version_id
LEFT JOIN line_facts AS l ON l.claim_version_id = s.claim_version_id
LEFT JOIN network_on_the_day AS n ON n.claim_version_id = s.claim_version_id
LEFT JOIN document_sums AS d ON d.claim_id = s.claim_version_id
ORDER BY s.submitted_date NULLS LAST, s.claim_version_id
