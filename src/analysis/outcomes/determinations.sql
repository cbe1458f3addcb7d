-- What every line and claim came to, once answered lines are matched to lines sent.
-- Variables: as_of_date, default_maturity_days.

-- name: slotted_lines
-- A line the insurer answered beyond the lines sent (split, or added) is a place of its own.
SELECT
    p.*,
    coalesce(m.slot, p.own_slot) AS slot,
    1 AS share_number
FROM parts_in_claims AS p
LEFT JOIN line_matches AS m ON m.remittance_line_id = p.remittance_line_id
WHERE p.remittance_line_id IS NOT NULL

-- name: slotted_claims
-- An answer without lines speaks for every line; its money is counted with the first.
SELECT
    p.*,
    coalesce(s.slot, 'claim') AS slot,
    row_number() OVER (PARTITION BY p.remittance_id ORDER BY s.line_number, s.slot) AS share_number
FROM parts_in_claims AS p
LEFT JOIN service_slots AS s ON s.claim_version_id = p.claim_version_id
WHERE p.remittance_line_id IS NULL

-- name: events
SELECT
    claim_id,
    slot,
    remittance_id,
    claim_version_id,
    answer_number,
    payment_date,
    is_reversal,
    is_deciding,
    procedure_code,
    modifiers,
    service_date,
    line_number,
    determination,
    category,
    reason_code,
    remark_code,
    CASE WHEN share_number = 1 THEN charge_cents ELSE 0 END AS charge_cents,
    CASE WHEN share_number = 1 THEN paid_cents ELSE 0 END AS paid_cents,
    CASE WHEN share_number = 1 THEN allowed_cents ELSE 0 END AS allowed_cents,
    remittance_id IN (SELECT remittance_id FROM cancelled) AS is_cancelled
FROM (SELECT * FROM slotted_lines UNION ALL SELECT * FROM slotted_claims) AS slotted

-- name: final_answers
-- What ends adjudication for a line: approved, partly approved or denied, by a primary insurer.
SELECT
    *,
    row_number() OVER (
        PARTITION BY claim_id, slot ORDER BY answer_number, remittance_id, line_number
    ) AS from_first,
    -- Denials repeat their category when only "decision kept" is said.
    max(CASE WHEN category <> 'appeal_outcome' THEN category END) OVER (
        PARTITION BY claim_id, slot
    ) AS any_category
FROM events
WHERE
    is_deciding AND determination IN ('approved', 'partially_approved', 'denied')

-- name: standing_answers
-- The last word on a line that nobody has taken back; a pended line waits again.
SELECT
    *,
    row_number() OVER (
        PARTITION BY claim_id, slot ORDER BY answer_number DESC, remittance_id DESC, line_number DESC
    ) AS from_last
FROM events
WHERE
    is_deciding
    AND NOT is_cancelled
    AND determination IN ('approved', 'partially_approved', 'denied', 'pending')

-- name: line_states
-- Every line slot of a claim that was sent or answered, with its first and standing answer.
SELECT
    k.claim_id,
    k.slot,
    f.determination AS first_determination,
    f.payment_date AS first_date,
    f.category AS first_category,
    f.reason_code AS first_reason_code,
    f.remark_code AS first_remark_code,
    f.charge_cents AS first_charge_cents,
    s.determination AS final_determination,
    s.payment_date AS final_date,
    CASE
        WHEN s.category = 'appeal_outcome' THEN coalesce(f.any_category, s.category)
        ELSE s.category
    END AS final_category,
    s.allowed_cents AS final_allowed_cents,
    s.remittance_id AS final_remittance_id,
    s.claim_version_id AS final_version_id,
    s.answer_number AS final_answer_number,
    e.has_pending,
    e.has_rejected,
    e.has_undecided,
    e.paid_cents
FROM (
    SELECT claim_id, slot FROM service_slots
    UNION
    SELECT claim_id, slot FROM events
) AS k
LEFT JOIN final_answers AS f ON f.claim_id = k.claim_id AND f.slot = k.slot AND f.from_first = 1
LEFT JOIN standing_answers AS s ON s.claim_id = k.claim_id AND s.slot = k.slot AND s.from_last = 1
LEFT JOIN (
    SELECT
        claim_id,
        slot,
        max(CASE WHEN is_deciding AND determination = 'pending' THEN 1 ELSE 0 END) AS has_pending,
        max(CASE WHEN is_deciding AND determination = 'rejected' THEN 1 ELSE 0 END)
            AS has_rejected,
        max(
            CASE WHEN determination IN ('unknown', 'duplicate', 'none') THEN 1 ELSE 0 END
        ) AS has_undecided,
        sum(paid_cents) AS paid_cents
    FROM events
    GROUP BY claim_id, slot
) AS e ON e.claim_id = k.claim_id AND e.slot = k.slot

-- name: claim_ids
SELECT DISTINCT claim_id FROM claim_lineage

-- name: first_answered
-- The first final answer, and the version it speaks about: that version's lines make the claim's
-- first determination, whatever a later correction adds.
SELECT claim_id, claim_version_id, remittance_id, payment_date
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_id ORDER BY answer_number, remittance_id, line_number, slot
        ) AS choice
    FROM final_answers
) AS ranked
WHERE choice = 1

-- name: last_answered
SELECT claim_id, claim_version_id, remittance_id, payment_date
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_id
            ORDER BY answer_number DESC, remittance_id DESC, line_number DESC, slot DESC
        ) AS choice
    FROM standing_answers
) AS ranked
WHERE choice = 1

-- name: first_slots
SELECT DISTINCT a.claim_id, s.slot
FROM first_answered AS a
INNER JOIN service_slots AS s ON s.claim_version_id = a.claim_version_id
UNION
SELECT a.claim_id, e.slot
FROM first_answered AS a
INNER JOIN events AS e ON e.remittance_id = a.remittance_id
WHERE e.determination IN ('approved', 'partially_approved', 'denied')

-- name: last_slots
SELECT DISTINCT a.claim_id, s.slot
FROM last_answered AS a
INNER JOIN service_slots AS s ON s.claim_version_id = a.claim_version_id
UNION
SELECT a.claim_id, e.slot
FROM last_answered AS a
INNER JOIN events AS e ON e.remittance_id = a.remittance_id
WHERE e.determination IN ('approved', 'partially_approved', 'denied', 'pending')

-- name: first_counts
-- A line of that version without any answer still waits; one answered without a decision
-- (contract only, duplicate, zero charge) does not hold the claim up.
SELECT
    k.claim_id,
    sum(CASE WHEN l.first_determination = 'approved' THEN 1 ELSE 0 END) AS n_approved,
    sum(CASE WHEN l.first_determination = 'partially_approved' THEN 1 ELSE 0 END) AS n_partial,
    sum(CASE WHEN l.first_determination = 'denied' THEN 1 ELSE 0 END) AS n_denied,
    sum(
        CASE
            WHEN l.first_determination IS NULL AND coalesce(l.has_undecided, 0) = 0
                AND coalesce(l.has_rejected, 0) = 0
                THEN 1
            ELSE 0
        END
    ) AS n_waiting,
    max(l.first_date) AS determination_date
FROM first_slots AS k
INNER JOIN line_states AS l ON l.claim_id = k.claim_id AND l.slot = k.slot
GROUP BY k.claim_id

-- name: last_counts
SELECT
    k.claim_id,
    sum(CASE WHEN l.final_determination = 'approved' THEN 1 ELSE 0 END) AS n_approved,
    sum(CASE WHEN l.final_determination = 'partially_approved' THEN 1 ELSE 0 END) AS n_partial,
    sum(CASE WHEN l.final_determination = 'denied' THEN 1 ELSE 0 END) AS n_denied,
    sum(
        CASE
            WHEN l.final_determination = 'pending' THEN 1
            WHEN l.final_determination IS NULL AND coalesce(l.has_undecided, 0) = 0
                AND coalesce(l.has_rejected, 0) = 0
                THEN 1
            ELSE 0
        END
    ) AS n_waiting,
    max(l.final_date) AS determination_date,
    sum(coalesce(l.final_allowed_cents, 0)) AS allowed_cents
FROM last_slots AS k
INNER JOIN line_states AS l ON l.claim_id = k.claim_id AND l.slot = k.slot
GROUP BY k.claim_id

-- name: claim_reasons
-- The category of the largest denied or cut charge, first answer and standing answer.
SELECT
    claim_id,
    max(CASE WHEN which = 'first' THEN category END) AS first_category,
    max(CASE WHEN which = 'first' THEN reason_code END) AS first_reason_code,
    max(CASE WHEN which = 'first' THEN remark_code END) AS first_remark_code,
    max(CASE WHEN which = 'final' THEN category END) AS final_category
FROM (
    SELECT
        which,
        claim_id,
        category,
        reason_code,
        remark_code,
        row_number() OVER (
            PARTITION BY claim_id, which
            ORDER BY
                CASE WHEN determination = 'denied' THEN 0 ELSE 1 END,
                charge_cents DESC,
                reason_code,
                slot
        ) AS choice
    FROM (
        SELECT
            'first' AS which,
            l.claim_id,
            l.slot,
            l.first_determination AS determination,
            l.first_category AS category,
            l.first_reason_code AS reason_code,
            l.first_remark_code AS remark_code,
            l.first_charge_cents AS charge_cents
        FROM line_states AS l
        INNER JOIN first_slots AS k ON k.claim_id = l.claim_id AND k.slot = l.slot
        WHERE l.first_determination IN ('denied', 'partially_approved')
        UNION ALL
        SELECT
            'final', l.claim_id, l.slot, l.final_determination, l.final_category, NULL, NULL,
            l.first_charge_cents
        FROM line_states AS l
        INNER JOIN last_slots AS k ON k.claim_id = l.claim_id AND k.slot = l.slot
        WHERE l.final_determination IN ('denied', 'partially_approved')
    ) AS reasons
) AS ranked
WHERE choice = 1
GROUP BY claim_id

-- name: version_facts
SELECT
    claim_id,
    count(*) AS n_versions,
    max(CASE WHEN is_primary AND claim_frequency_code = '7' THEN 1 ELSE 0 END) AS is_corrected,
    max(CASE WHEN is_primary THEN submitted_date END) AS last_submitted_date
FROM versions
GROUP BY claim_id

-- name: first_versions
SELECT * FROM versions WHERE version_number = 1

-- name: latest_versions
-- The latest version that is not a void, whose lines and charge are the claim's.
SELECT * FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY claim_id ORDER BY version_number DESC) AS from_last
    FROM versions
    WHERE is_primary AND NOT is_void
) AS ranked
WHERE from_last = 1

-- name: voided_claims
-- The last primary version is a void.
SELECT claim_id FROM (
    SELECT
        claim_id,
        is_void,
        row_number() OVER (PARTITION BY claim_id ORDER BY version_number DESC) AS from_last
    FROM versions
    WHERE is_primary
) AS ranked
WHERE from_last = 1 AND is_void

-- name: answer_facts
SELECT
    a.claim_id,
    count(*) AS n_remittances,
    sum(a.paid_cents) AS paid_cents,
    max(CASE WHEN a.is_reversal THEN 1 ELSE 0 END) AS is_reversed,
    min(a.answer_number) AS first_answer_number
FROM answers AS a
GROUP BY a.claim_id

-- name: undecided_claims
-- Claims without any final answer: what their answers said instead.
SELECT
    claim_id,
    max(CASE WHEN determination = 'pending' THEN 1 ELSE 0 END) AS has_pending,
    max(CASE WHEN determination = 'rejected' THEN 1 ELSE 0 END) AS has_rejected,
    max(CASE WHEN determination = 'rejected' THEN payment_date END) AS rejected_date
FROM events
WHERE is_deciding AND claim_id NOT IN (SELECT claim_id FROM first_answered)
GROUP BY claim_id

-- name: latest_acknowledgments
-- What the clearinghouse or insurer last said of a submission, before any adjudication.
SELECT claim_id, is_accepted, effective_date
FROM (
    SELECT
        v.claim_id,
        k.is_accepted,
        k.effective_date,
        row_number() OVER (
            PARTITION BY v.claim_id ORDER BY k.effective_date DESC NULLS LAST, k.acknowledgment_id
        ) AS from_last
    FROM acknowledgments AS k
    INNER JOIN versions AS v
        ON upper(trim(v.patient_control_number)) = upper(trim(k.patient_control_number))
    WHERE k.is_accepted IS NOT NULL
) AS ranked
WHERE from_last = 1

-- name: refused_claims
-- Stopped at the door: refused, never answered, and not sent again since.
SELECT k.claim_id
FROM latest_acknowledgments AS k
INNER JOIN version_facts AS v ON v.claim_id = k.claim_id
WHERE
    NOT k.is_accepted
    AND k.claim_id NOT IN (SELECT claim_id FROM answers)
    AND (k.effective_date IS NULL OR v.last_submitted_date <= k.effective_date)

-- name: standing_money
-- Patient's part and claim-level allowed parts of the remittances that stand at the end.
SELECT
    r.claim_id,
    sum(CASE WHEN a.is_patient_part THEN a.amount_cents ELSE 0 END) AS patient_part_cents,
    sum(
        CASE
            WHEN a.is_allowed_part AND a.remittance_line_id IS NULL AND r.has_lines
                THEN a.amount_cents
            ELSE 0
        END
    ) AS claim_level_cents
FROM (
    SELECT DISTINCT
        k.claim_id,
        l.final_remittance_id AS remittance_id,
        l.final_remittance_id IN (SELECT remittance_id FROM remittance_lines) AS has_lines
    FROM last_slots AS k
    INNER JOIN line_states AS l ON l.claim_id = k.claim_id AND l.slot = k.slot
    WHERE l.final_remittance_id IS NOT NULL
) AS r
INNER JOIN coded_adjustments AS a ON a.remittance_id = r.remittance_id
GROUP BY r.claim_id

-- name: appeal_results
-- Read from the remarks of the answers: overturned or kept. N690, N691, N11 and MA91 with money
-- allowed tell a win; MA46 and CARC 193 a decision kept.
SELECT
    e.claim_id,
    max(
        CASE
            WHEN e.determination IN ('approved', 'partially_approved')
                AND m.remark_code IN ('MA91', 'N690', 'N691', 'N11')
                THEN 1
            ELSE 0
        END
    ) AS is_overturned,
    max(
        CASE
            WHEN e.determination = 'denied'
                AND (m.remark_code IN ('MA91', 'MA46') OR e.reason_code = '193')
                THEN 1
            ELSE 0
        END
    ) AS is_upheld
FROM events AS e
LEFT JOIN remarks AS m ON m.remittance_id = e.remittance_id
WHERE e.is_deciding AND NOT e.is_reversal
GROUP BY e.claim_id

-- name: determined_claims
SELECT
    i.claim_id,
    CASE
        WHEN f.n_waiting > 0 THEN 'pending'
        WHEN f.n_partial > 0 OR (f.n_approved > 0 AND f.n_denied > 0) THEN 'partially_approved'
        WHEN f.n_approved > 0 THEN 'approved'
        WHEN f.n_denied > 0 THEN 'denied'
        WHEN i.claim_id IN (SELECT claim_id FROM voided_claims) THEN 'voided'
        WHEN u.has_pending = 1 THEN 'pending'
        WHEN
            u.has_rejected = 1
            AND (v.last_submitted_date IS NULL OR v.last_submitted_date <= u.rejected_date)
            THEN 'rejected'
        WHEN i.claim_id IN (SELECT claim_id FROM refused_claims) THEN 'rejected'
        WHEN u.has_rejected = 1 OR a.n_remittances IS NULL THEN 'pending'
        ELSE 'unknown'
    END AS first_determination,
    f.determination_date AS first_date,
    CASE
        WHEN
            i.claim_id IN (SELECT claim_id FROM voided_claims)
            AND coalesce(a.paid_cents, 0) = 0
            THEN 'voided'
        WHEN t.n_waiting > 0 THEN 'pending'
        WHEN t.n_partial > 0 OR (t.n_approved > 0 AND t.n_denied > 0) THEN 'partially_approved'
        WHEN t.n_approved > 0 THEN 'approved'
        WHEN t.n_denied > 0 THEN 'denied'
        WHEN f.claim_id IS NOT NULL OR u.has_pending = 1 THEN 'pending'
        WHEN
            u.has_rejected = 1
            AND (v.last_submitted_date IS NULL OR v.last_submitted_date <= u.rejected_date)
            THEN 'rejected'
        WHEN i.claim_id IN (SELECT claim_id FROM refused_claims) THEN 'rejected'
        WHEN u.has_rejected = 1 OR a.n_remittances IS NULL THEN 'pending'
        ELSE 'unknown'
    END AS final_determination,
    t.determination_date AS final_date,
    t.allowed_cents
FROM claim_ids AS i
LEFT JOIN first_counts AS f ON f.claim_id = i.claim_id
LEFT JOIN last_counts AS t ON t.claim_id = i.claim_id
LEFT JOIN undecided_claims AS u ON u.claim_id = i.claim_id
LEFT JOIN answer_facts AS a ON a.claim_id = i.claim_id
LEFT JOIN version_facts AS v ON v.claim_id = i.claim_id

-- name: claim_conditions
-- The principal diagnosis by day of service; the first pattern that fits wins.
SELECT claim_id, condition_group
FROM (
    SELECT
        v.claim_id,
        k.condition_group,
        row_number() OVER (PARTITION BY v.claim_id ORDER BY CAST(k.pattern_order AS BIGINT)) AS choice
    FROM first_versions AS v
    INNER JOIN claim_diagnoses AS d
        ON d.claim_version_id = v.claim_version_id AND d.diagnosis_position = 1
    INNER JOIN conditions AS k
        ON
            regexp_matches(d.diagnosis_code, k.icd10_pattern)
            AND (k.valid_from IS NULL OR coalesce(v.service_date, v.submitted_date)
                >= CAST(k.valid_from AS DATE))
            AND (k.valid_to IS NULL OR coalesce(v.service_date, v.submitted_date)
                <= CAST(k.valid_to AS DATE))
) AS ranked
WHERE choice = 1

-- name: claim_facts
SELECT
    i.claim_id,
    coalesce(f.patient_control_number, r.patient_control_number) AS patient_control_number,
    coalesce(f.patient_id, r.patient_id) AS patient_id,
    coalesce(f.payer_id, r.payer_id) AS payer_id,
    f.plan_id,
    coalesce(k.condition_group, 'unknown') AS condition_group,
    coalesce(f.service_date, r.service_date) AS service_date,
    f.submitted_date,
    coalesce(l.charge_cents, abs(r.charge_cents), 0) AS charge_cents
FROM claim_ids AS i
LEFT JOIN first_versions AS f ON f.claim_id = i.claim_id
LEFT JOIN latest_versions AS l ON l.claim_id = i.claim_id
LEFT JOIN claim_conditions AS k ON k.claim_id = i.claim_id
LEFT JOIN answers AS r ON r.claim_id = i.claim_id AND r.answer_number = 1

-- name: visits
SELECT
    *,
    CASE
        WHEN
            lag(service_date) OVER (
                PARTITION BY patient_id, condition_group ORDER BY service_date, claim_id
            ) >= service_date - INTERVAL 90 DAY
            THEN 0
        ELSE 1
    END AS starts_episode
FROM claim_facts
WHERE patient_id IS NOT NULL AND service_date IS NOT NULL

-- name: episode_numbers
SELECT
    *,
    sum(starts_episode) OVER (
        PARTITION BY patient_id, condition_group ORDER BY service_date, claim_id
    ) AS episode_number
FROM visits

-- name: episodes
SELECT
    claim_id,
    patient_id || '-' || condition_group || '-' || CAST(episode_number AS VARCHAR) AS episode_id,
    dense_rank() OVER (
        PARTITION BY patient_id, condition_group, episode_number ORDER BY service_date
    ) AS visit_number
FROM episode_numbers

-- name: delays
SELECT
    d.claim_id,
    date_diff('day', f.submitted_date, d.first_date) AS days
FROM determined_claims AS d
INNER JOIN claim_facts AS f ON f.claim_id = d.claim_id
WHERE
    d.first_determination IN ('approved', 'partially_approved', 'denied')
    AND f.submitted_date IS NOT NULL
    AND d.first_date >= f.submitted_date

-- name: maturity
-- Only claims old enough for a slow answer to have come tell how long answers take.
SELECT
    coalesce(
        CAST(quantile_disc(e.days, 0.95) AS BIGINT), getvariable('default_maturity_days')
    ) AS maturity_days
FROM delays AS e
INNER JOIN claim_facts AS f ON f.claim_id = e.claim_id
WHERE f.submitted_date <= getvariable('as_of_date') - INTERVAL 180 DAY

-- name: claim_outcomes
SELECT
    f.claim_id,
    f.patient_control_number,
    f.patient_id,
    f.payer_id,
    f.plan_id,
    coalesce(p.payer_type, 'unknown') AS payer_type,
    f.condition_group,
    e.episode_id,
    e.visit_number,
    f.service_date,
    f.submitted_date,
    coalesce(v.n_versions, 0) AS n_versions,
    coalesce(a.n_remittances, 0) AS n_remittances,
    f.charge_cents,
    CASE
        WHEN d.final_determination IN ('approved', 'partially_approved', 'denied')
            THEN coalesce(d.allowed_cents, 0) + coalesce(m.claim_level_cents, 0)
        ELSE 0
    END AS allowed_cents,
    coalesce(a.paid_cents, 0) AS paid_cents,
    CASE
        WHEN d.final_determination IN ('approved', 'partially_approved', 'denied')
            THEN coalesce(m.patient_part_cents, 0)
        ELSE 0
    END AS patient_responsibility_cents,
    d.first_determination,
    d.first_date AS first_determination_date,
    date_diff('day', f.submitted_date, d.first_date) AS days_to_first_determination,
    d.final_determination,
    CASE
        WHEN d.final_determination IN ('approved', 'partially_approved', 'denied') THEN d.final_date
    END AS final_determination_date,
    CASE
        WHEN d.first_determination IN ('denied', 'partially_approved') THEN c.first_category
    END AS denial_category,
    CASE
        WHEN d.first_determination IN ('denied', 'partially_approved') THEN c.first_reason_code
    END AS denial_reason_code,
    CASE
        WHEN d.first_determination IN ('denied', 'partially_approved') THEN c.first_remark_code
    END AS denial_remark_code,
    CASE
        WHEN d.final_determination IN ('denied', 'partially_approved') THEN c.final_category
    END AS final_denial_category,
    w.source AS outcome_source,
    coalesce(v.is_corrected, 0) = 1 AS is_corrected,
    coalesce(a.is_reversed, 0) = 1 AS is_reversed,
    CASE
        WHEN x.is_overturned = 1 THEN 'overturned' WHEN x.is_upheld = 1 THEN 'upheld'
    END AS appeal_outcome,
    CASE
        WHEN f.service_date > getvariable('as_of_date') THEN 'service in the future'
        WHEN f.service_date > f.submitted_date THEN 'service after submission'
        WHEN f.service_date > d.first_date THEN 'service after the answer'
        WHEN f.service_date < getvariable('as_of_date') - INTERVAL 20 YEAR THEN 'service long ago'
    END AS date_problem,
    getvariable('as_of_date') AS as_of_date,
    (SELECT maturity_days FROM maturity) AS maturity_days,
    coalesce(
        f.submitted_date
        <= getvariable('as_of_date') - to_days(CAST((SELECT maturity_days FROM maturity) AS INTEGER)),
        false
    ) AS is_mature
FROM claim_facts AS f
INNER JOIN determined_claims AS d ON d.claim_id = f.claim_id
LEFT JOIN episodes AS e ON e.claim_id = f.claim_id
LEFT JOIN version_facts AS v ON v.claim_id = f.claim_id
LEFT JOIN answer_facts AS a ON a.claim_id = f.claim_id
LEFT JOIN claim_reasons AS c ON c.claim_id = f.claim_id
LEFT JOIN standing_money AS m ON m.claim_id = f.claim_id
LEFT JOIN appeal_results AS x ON x.claim_id = f.claim_id
LEFT JOIN payers AS p ON p.payer_id = f.payer_id
LEFT JOIN first_answered AS y ON y.claim_id = f.claim_id
LEFT JOIN remittances AS w ON w.remittance_id = y.remittance_id
ORDER BY f.submitted_date NULLS LAST, f.claim_id

-- name: line_lineage
SELECT
    p.remittance_line_id,
    p.claim_id,
    m.service_line_id,
    coalesce(m.match_kind, 'beyond') AS match_kind,
    coalesce(m.is_doubtful, false) AS is_doubtful
FROM parts_in_claims AS p
LEFT JOIN line_matches AS m ON m.remittance_line_id = p.remittance_line_id
WHERE p.remittance_line_id IS NOT NULL
ORDER BY p.remittance_line_id

-- name: outcome_lines
-- The lines of the latest version, then what insurers answered beyond them.
SELECT claim_id, slot, line_number, procedure_code, modifiers, units, service_date, charge_cents
FROM (
    SELECT s.*
    FROM service_slots AS s
    INNER JOIN latest_versions AS v ON v.claim_version_id = s.claim_version_id
) AS current_lines
UNION ALL
SELECT
    claim_id,
    slot,
    1000 + row_number() OVER (PARTITION BY claim_id ORDER BY slot) AS line_number,
    procedure_code,
    modifiers,
    CAST(NULL AS DOUBLE) AS units,
    service_date,
    charge_cents
FROM (
    SELECT
        e.claim_id,
        e.slot,
        min(e.procedure_code) AS procedure_code,
        min(e.modifiers) AS modifiers,
        min(e.service_date) AS service_date,
        max(abs(e.charge_cents)) AS charge_cents
    FROM events AS e
    WHERE
        NOT EXISTS (
            SELECT 1
            FROM service_slots AS s
            INNER JOIN latest_versions AS v ON v.claim_version_id = s.claim_version_id
            WHERE s.claim_id = e.claim_id AND s.slot = e.slot
        )
    GROUP BY e.claim_id, e.slot
) AS beyond

-- name: line_outcomes
SELECT
    o.claim_id,
    o.line_number,
    o.procedure_code,
    o.modifiers,
    o.units,
    o.service_date,
    o.charge_cents,
    CASE
        WHEN l.final_determination IN ('approved', 'partially_approved', 'denied')
            AND d.final_determination <> 'voided'
            THEN coalesce(l.final_allowed_cents, 0)
        ELSE 0
    END AS allowed_cents,
    coalesce(l.paid_cents, 0) AS paid_cents,
    coalesce(
        l.first_determination,
        CASE
            WHEN d.first_determination IN ('voided', 'rejected') THEN d.first_determination
            WHEN l.has_rejected = 1 AND coalesce(l.has_pending, 0) = 0 THEN 'rejected'
            WHEN coalesce(l.has_pending, 0) = 0 AND l.has_undecided = 1 THEN 'unknown'
            ELSE 'pending'
        END
    ) AS first_determination,
    l.first_date AS first_determination_date,
    CASE
        WHEN d.final_determination = 'voided' THEN 'voided'
        WHEN l.final_determination IS NOT NULL THEN l.final_determination
        WHEN d.final_determination = 'rejected' THEN 'rejected'
        WHEN coalesce(l.has_pending, 0) = 0 AND l.has_undecided = 1 THEN 'unknown'
        ELSE 'pending'
    END AS final_determination,
    l.final_date AS final_determination_date,
    CASE WHEN l.first_determination IN ('denied', 'partially_approved') THEN l.first_category END
        AS denial_category,
    CASE WHEN l.first_determination IN ('denied', 'partially_approved') THEN l.first_reason_code END
        AS denial_reason_code,
    CASE WHEN l.first_determination IN ('denied', 'partially_approved') THEN l.first_remark_code END
        AS denial_remark_code,
    CASE WHEN l.final_determination IN ('denied', 'partially_approved') THEN l.final_category END
        AS final_denial_category
FROM outcome_lines AS o
INNER JOIN line_states AS l ON l.claim_id = o.claim_id AND l.slot = o.slot
INNER JOIN determined_claims AS d ON d.claim_id = o.claim_id
ORDER BY o.claim_id, o.line_number
