-- How appeals ended: what insurers say in their answers, beside what the practice wrote down.
-- Inputs: claims, remittances, appeals, and the stages of keys.sql, appeal_answers.sql and
-- histories.sql.

-- name: claim_numbers
SELECT k.claim_key, upper(trim(c.patient_control_number)) AS control_number
FROM claims AS c
INNER JOIN version_keys AS k ON k.claim_version_id = c.claim_version_id
WHERE
    upper(trim(c.patient_control_number))
    IN (SELECT upper(trim(patient_control_number)) FROM appeals)
UNION
SELECT k.claim_key, upper(trim(r.patient_control_number))
FROM remittances AS r
INNER JOIN remittance_keys AS k ON k.remittance_id = r.remittance_id
WHERE
    upper(trim(r.patient_control_number))
    IN (SELECT upper(trim(patient_control_number)) FROM appeals)

-- name: recorded_appeals
-- A row of appeals.csv and its claim. Where a number is used for several visits, the latest one
-- that had been denied or cut before the appeal was filed.
SELECT *
FROM (
    SELECT
        a.*,
        n.claim_key,
        row_number() OVER (
            PARTITION BY a.appeal_id
            ORDER BY
                CASE
                    WHEN
                        d.first_determination IN ('denied', 'partially_approved')
                        AND coalesce(d.first_date <= a.filed_date, true)
                        THEN 0
                    ELSE 1
                END,
                d.first_date DESC NULLS LAST,
                n.claim_key
        ) AS choice
    FROM appeals AS a
    LEFT JOIN claim_numbers AS n
        ON n.control_number = upper(trim(a.patient_control_number))
    LEFT JOIN claim_histories AS d ON d.claim_key = n.claim_key
) AS ranked
WHERE choice = 1

-- name: heard_appeals
-- The insurer's answer to a recorded appeal: the first after it was filed and before the next.
SELECT appeal_id, remittance_key
FROM (
    SELECT
        a.appeal_id,
        d.remittance_key,
        row_number() OVER (
            PARTITION BY d.remittance_key
            ORDER BY a.filed_date DESC NULLS LAST, a.level DESC, a.appeal_id
        ) AS from_last_filed,
        row_number() OVER (
            PARTITION BY a.appeal_id ORDER BY d.answer_number, d.remittance_key
        ) AS from_first_heard
    FROM recorded_appeals AS a
    INNER JOIN appeal_decisions AS d
        ON d.claim_key = a.claim_key AND coalesce(d.payment_date >= a.filed_date, true)
) AS pairs
WHERE from_last_filed = 1 AND from_first_heard = 1

-- name: all_appeals
SELECT
    coalesce(p.appeal_id, r.remittance_id) AS appeal_outcome_id,
    c.claim_id,
    p.appeal_id,
    p.level,
    p.filed_date,
    p.deadline_date,
    p.deadline_source,
    p.is_filed_late,
    p.assisted_by,
    p.recorded_date,
    p.recorded_outcome,
    r.remittance_id,
    d.payment_date AS remittance_date,
    d.remittance_outcome,
    d.codes AS evidence_codes,
    d.won_cents,
    d.answer_number
FROM (
    SELECT
        a.appeal_id,
        a.claim_key,
        a.level,
        a.filed_date,
        a.deadline_date,
        a.deadline_source,
        a.filed_date > a.deadline_date AS is_filed_late,
        a.assisted_by,
        a.decision_date AS recorded_date,
        a.outcome AS recorded_outcome,
        h.remittance_key
    FROM recorded_appeals AS a
    LEFT JOIN heard_appeals AS h ON h.appeal_id = a.appeal_id
    UNION ALL
    SELECT NULL, claim_key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, remittance_key
    FROM appeal_decisions
    WHERE remittance_key NOT IN (SELECT remittance_key FROM heard_appeals)
) AS p
LEFT JOIN appeal_decisions AS d ON d.remittance_key = p.remittance_key
LEFT JOIN remittance_keys AS r ON r.remittance_key = p.remittance_key
LEFT JOIN claim_keys AS c ON c.claim_key = p.claim_key

-- name: appeal_outcomes
-- The insurer's answer counts where there is one; the practice's note where there is not.
SELECT
    appeal_outcome_id,
    claim_id,
    row_number() OVER (
        PARTITION BY coalesce(claim_id, appeal_outcome_id)
        ORDER BY
            coalesce(filed_date, remittance_date) NULLS LAST,
            coalesce(remittance_date, recorded_date) NULLS LAST,
            level,
            appeal_outcome_id
    ) AS appeal_number,
    appeal_id,
    level,
    filed_date,
    deadline_date,
    deadline_source,
    is_filed_late,
    assisted_by,
    recorded_date,
    recorded_outcome,
    remittance_id,
    remittance_date,
    remittance_outcome,
    evidence_codes,
    won_cents,
    CASE
        WHEN appeal_id IS NULL THEN 'not_recorded'
        WHEN remittance_outcome IS NULL AND coalesce(recorded_outcome, 'pending') = 'pending'
            THEN 'open'
        WHEN remittance_outcome IS NULL THEN 'recorded_only'
        WHEN coalesce(recorded_outcome, 'pending') = 'pending' THEN 'not_updated'
        WHEN recorded_outcome = remittance_outcome THEN 'agree'
        WHEN recorded_outcome = 'upheld' AND remittance_outcome = 'dismissed' THEN 'agree'
        ELSE 'disagree'
    END AS agreement,
    coalesce(remittance_outcome, recorded_outcome, 'pending') AS outcome
FROM all_appeals
ORDER BY claim_id NULLS LAST, appeal_number

-- name: last_appeals
SELECT claim_id, outcome
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY claim_id ORDER BY appeal_number DESC) AS from_last
    FROM appeal_outcomes
    WHERE outcome NOT IN ('pending', 'withdrawn')
) AS ranked
WHERE from_last = 1
