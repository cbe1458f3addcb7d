-- What every line and claim came to, once answered lines are matched to lines sent.

-- name: line_parts
-- Answers in different payments that together make up no more than the line they are about are
-- parts of it: the second does not replace the first, and gets a place of its own.
SELECT
    remittance_line_key,
    claim_key,
    slot,
    charge,
    row_number() OVER (
        PARTITION BY claim_key, slot ORDER BY answer_number, line_number, remittance_line_key
    ) AS part_number
FROM (
    SELECT
        p.remittance_line_key,
        p.claim_key,
        p.answer_number,
        p.line_number,
        p.charge,
        m.slot,
        sum(p.charge) OVER (PARTITION BY p.claim_key, m.slot) AS answered_charge,
        count(*) OVER (PARTITION BY p.claim_key, m.slot) AS n_answers,
        max(s.charge_cents) OVER (PARTITION BY p.claim_key, m.slot) AS line_charge
    FROM parts_in_claims AS p
    INNER JOIN line_matches AS m ON m.remittance_line_key = p.remittance_line_key
    INNER JOIN service_slots AS s ON s.service_line_id = m.service_line_id
    WHERE
        p.is_deciding
        AND p.charge > 0
        AND p.claim_key IN (SELECT claim_key FROM answers WHERE answer_number > 1)
        AND p.remittance_key NOT IN (SELECT remittance_key FROM taken_back WHERE is_whole)
) AS answered
WHERE n_answers > 1 AND answered_charge <= line_charge

-- name: beyond_slots
-- A line the insurer answered beyond the lines sent (split, or added) is a place of its own.
SELECT
    remittance_line_key,
    'beyond:' || coalesce(procedure_code, '') || '@' || coalesce(CAST(day AS VARCHAR), '') || '#'
    || CAST(
        row_number() OVER (
            PARTITION BY remittance_key, procedure_code, day ORDER BY line_number
        ) AS VARCHAR
    ) AS slot
FROM parts_in_claims
WHERE
    remittance_key IN (
        SELECT remittance_key
        FROM parts_in_claims
        WHERE remittance_line_key NOT IN (SELECT remittance_line_key FROM line_matches)
    )

-- name: slotted_lines
SELECT
    p.claim_key,
    p.remittance_key,
    p.claim_version_key,
    p.answer_number,
    p.payment_date,
    p.is_deciding,
    p.takes_back,
    p.line_number,
    p.procedure_code,
    p.modifiers,
    p.service_date,
    p.charge_cents,
    p.paid_cents,
    p.allowed_cents,
    p.determination,
    p.category,
    p.reason_code,
    p.remark_code,
    CASE
        WHEN coalesce(k.part_number, r.part_number) > 1
            THEN m.slot || '/' || CAST(coalesce(k.part_number, r.part_number) AS VARCHAR)
        ELSE coalesce(m.slot, o.slot)
    END AS slot,
    coalesce(k.part_number, 1) > 1 AS is_part,
    1 AS share_number
FROM parts_in_claims AS p
LEFT JOIN line_matches AS m ON m.remittance_line_key = p.remittance_line_key
LEFT JOIN beyond_slots AS o ON o.remittance_line_key = p.remittance_line_key
LEFT JOIN line_parts AS k ON k.remittance_line_key = p.remittance_line_key
LEFT JOIN (
    SELECT claim_key, slot, charge, max(part_number) AS part_number
    FROM line_parts
    GROUP BY claim_key, slot, charge
) AS r
    ON p.is_reversal AND r.claim_key = p.claim_key AND r.slot = m.slot AND r.charge = p.charge
WHERE p.remittance_line_key IS NOT NULL

-- name: slotted_claims
-- An answer without lines speaks for the one line that has its charge, where the claim is split
-- over several answers, else for every line; its money is counted with the first.
SELECT
    p.claim_key,
    p.remittance_key,
    p.claim_version_key,
    p.answer_number,
    p.payment_date,
    p.is_deciding,
    p.takes_back,
    p.line_number,
    p.procedure_code,
    p.modifiers,
    p.service_date,
    p.charge_cents,
    p.paid_cents,
    p.allowed_cents,
    p.determination,
    p.category,
    p.reason_code,
    p.remark_code,
    coalesce(s.slot, 'claim') AS slot,
    false AS is_part,
    row_number() OVER (PARTITION BY p.remittance_key ORDER BY s.line_number, s.slot) AS share_number
FROM parts_in_claims AS p
LEFT JOIN (
    SELECT
        claim_version_key,
        line_number,
        slot,
        charge_cents,
        sum(charge_cents) OVER (PARTITION BY claim_version_key) AS version_charge,
        count(*) OVER (PARTITION BY claim_version_key, charge_cents) AS n_alike
    FROM service_slots
    WHERE
        claim_version_key IN (
            SELECT claim_version_key FROM parts_in_claims WHERE remittance_line_key IS NULL
        )
) AS s ON s.claim_version_key = p.claim_version_key
WHERE
    p.remittance_line_key IS NULL
    AND (
        s.slot IS NULL
        OR p.charge >= s.version_charge
        OR (s.charge_cents = p.charge AND s.n_alike = 1)
        OR NOT EXISTS (
            SELECT 1 FROM service_slots AS o
            WHERE o.claim_version_key = p.claim_version_key
            GROUP BY o.charge_cents
            HAVING o.charge_cents = p.charge AND count(*) = 1
        )
    )

-- name: slotted
SELECT * FROM slotted_lines
UNION ALL
SELECT * FROM slotted_claims

-- name: events
SELECT
    e.claim_key,
    e.slot,
    e.remittance_key,
    e.claim_version_key,
    e.answer_number,
    e.payment_date,
    e.is_deciding,
    e.is_part,
    e.procedure_code,
    e.modifiers,
    e.service_date,
    e.line_number,
    e.determination,
    CASE
        WHEN e.determination IN ('denied', 'partially_approved') THEN coalesce(e.category, 'unknown')
        ELSE e.category
    END AS category,
    e.reason_code,
    e.remark_code,
    CASE WHEN e.share_number = 1 THEN e.charge_cents ELSE 0 END AS charge_cents,
    CASE WHEN e.share_number = 1 THEN e.paid_cents ELSE 0 END AS paid_cents,
    CASE WHEN e.share_number = 1 THEN e.allowed_cents ELSE 0 END AS allowed_cents,
    EXISTS (
        SELECT 1 FROM taken_back AS t
        WHERE t.remittance_key = e.remittance_key AND t.is_whole
    )
    OR EXISTS (
        SELECT 1
        FROM taken_back AS t
        INNER JOIN slotted AS v ON v.remittance_key = t.reversal_key
        WHERE t.remittance_key = e.remittance_key AND v.slot = e.slot
    )
    OR coalesce(e.answer_number < b.answer_number, false) AS is_cancelled,
    -- A primary insurer's word on the line.
    e.is_deciding
    AND e.determination IN ('approved', 'partially_approved', 'denied', 'pending') AS is_judged,
    e.determination IN ('approved', 'partially_approved') AS is_allowed,
    EXISTS (
        SELECT 1
        FROM (
            SELECT claim_key, slot FROM slotted GROUP BY claim_key, slot HAVING count(*) > 1
        ) AS m
        WHERE m.claim_key = e.claim_key AND m.slot = e.slot
    ) AS has_others
FROM slotted AS e
LEFT JOIN (
    SELECT claim_key, slot, max(answer_number) AS answer_number
    FROM slotted
    WHERE takes_back
    GROUP BY claim_key, slot
) AS b ON b.claim_key = e.claim_key AND b.slot = e.slot

-- name: final_answers
-- What ends adjudication for a line, in its order, which only those need that are not alone. Denials
-- repeat their category when only "decision kept" is said.
SELECT
    claim_key,
    slot,
    remittance_key,
    claim_version_key,
    answer_number,
    payment_date,
    is_part,
    line_number,
    determination,
    category,
    reason_code,
    remark_code,
    charge_cents,
    allowed_cents,
    from_first,
    own_category
FROM (
    SELECT *, 1 AS from_first, nullif(category, 'appeal_outcome') AS own_category
    FROM events
    WHERE is_judged AND determination <> 'pending' AND NOT has_others
    UNION ALL
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_key, slot ORDER BY answer_number, remittance_key, line_number
        ),
        last_value(nullif(category, 'appeal_outcome') IGNORE NULLS) OVER (
            PARTITION BY claim_key, slot
            ORDER BY answer_number, remittance_key, line_number
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
    FROM events
    WHERE is_judged AND determination <> 'pending' AND has_others
) AS numbered

-- name: standing_answers
-- The last word on a line that nobody has taken back; a pended line waits again. What was allowed
-- stands until it is reversed: a later denial that reverses nothing answers another submission.
SELECT
    claim_key,
    slot,
    remittance_key,
    claim_version_key,
    answer_number,
    payment_date,
    is_part,
    line_number,
    determination,
    category,
    allowed_cents,
    is_allowed,
    from_last
FROM (
    SELECT *, 1 AS from_last
    FROM events
    WHERE is_judged AND NOT is_cancelled AND NOT has_others
    UNION ALL
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_key, slot
            ORDER BY is_allowed DESC, answer_number DESC, remittance_key DESC, line_number DESC
        )
    FROM events
    WHERE is_judged AND NOT is_cancelled AND has_others
) AS numbered

-- name: told_slots
-- Every line slot of a claim that was sent or answered, and what was said of it besides.
SELECT
    claim_key,
    slot,
    max(has_pending) AS has_pending,
    max(has_rejected) AS has_rejected,
    max(has_undecided) AS has_undecided,
    sum(paid_cents) AS paid_cents
FROM (
    SELECT
        claim_key,
        slot,
        CASE WHEN is_deciding AND determination = 'pending' THEN 1 ELSE 0 END AS has_pending,
        CASE WHEN is_deciding AND determination = 'rejected' THEN 1 ELSE 0 END AS has_rejected,
        CASE WHEN determination IN ('unknown', 'duplicate', 'none') THEN 1 ELSE 0 END
            AS has_undecided,
        paid_cents
    FROM events
    UNION ALL
    SELECT claim_key, slot, NULL, NULL, NULL, NULL FROM service_slots
) AS sent_or_answered
GROUP BY claim_key, slot

-- name: first_states
-- With its first answer.
SELECT
    k.*,
    f.determination AS first_determination,
    f.payment_date AS first_date,
    f.category AS first_category,
    f.own_category,
    f.reason_code AS first_reason_code,
    f.remark_code AS first_remark_code,
    f.charge_cents AS first_charge_cents
FROM told_slots AS k
LEFT JOIN final_answers AS f ON f.claim_key = k.claim_key AND f.slot = k.slot AND f.from_first = 1

-- name: line_states
-- With its standing answer too.
SELECT
    k.claim_key,
    k.slot,
    k.first_determination,
    k.first_date,
    k.first_category,
    k.first_reason_code,
    k.first_remark_code,
    k.first_charge_cents,
    s.determination AS final_determination,
    s.payment_date AS final_date,
    CASE
        WHEN s.category = 'appeal_outcome' THEN coalesce(k.own_category, s.category)
        ELSE s.category
    END AS final_category,
    s.allowed_cents AS final_allowed_cents,
    s.remittance_key AS final_remittance_key,
    k.has_pending,
    k.has_rejected,
    k.has_undecided,
    k.paid_cents
FROM first_states AS k
LEFT JOIN standing_answers AS s ON s.claim_key = k.claim_key AND s.slot = k.slot AND s.from_last = 1

-- name: first_answered
-- The first final answer, and the version it speaks about: that version's lines make the claim's
-- first determination, whatever a later correction adds.
SELECT claim_key, claim_version_key, remittance_key, payment_date
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_key ORDER BY answer_number, remittance_key, line_number, slot
        ) AS choice
    FROM final_answers
) AS ranked
WHERE choice = 1

-- name: last_answered
SELECT claim_key, claim_version_key, remittance_key, payment_date
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_key
            ORDER BY
                is_allowed DESC, answer_number DESC, remittance_key DESC, line_number DESC, slot DESC
        ) AS choice
    FROM standing_answers
    WHERE from_last = 1
) AS ranked
WHERE choice = 1

-- name: version_scopes
-- The version whose lines an answer to a version settles: itself, or the base of a part of it.
SELECT v.claim_version_key, coalesce(p.base_version_key, v.claim_version_key) AS scope_version_key
FROM versions AS v
LEFT JOIN partial_versions AS p ON p.claim_version_key = v.claim_version_key

-- name: first_slots
-- Of a claim we were never given, whatever was answered.
SELECT a.claim_key, s.slot
FROM first_answered AS a
INNER JOIN version_scopes AS c ON c.claim_version_key = a.claim_version_key
INNER JOIN service_slots AS s ON s.claim_version_key = c.scope_version_key
UNION ALL
SELECT a.claim_key, e.slot
FROM first_answered AS a
INNER JOIN final_answers AS e
    ON
        e.claim_key = a.claim_key
        AND (a.claim_version_key IS NULL OR e.remittance_key = a.remittance_key OR e.is_part)
WHERE a.claim_version_key IS NOT NULL OR e.from_first = 1

-- name: last_slots
SELECT a.claim_key, s.slot
FROM last_answered AS a
INNER JOIN version_scopes AS c ON c.claim_version_key = a.claim_version_key
INNER JOIN service_slots AS s ON s.claim_version_key = c.scope_version_key
UNION ALL
SELECT a.claim_key, e.slot
FROM last_answered AS a
INNER JOIN standing_answers AS e
    ON
        e.claim_key = a.claim_key
        AND (a.claim_version_key IS NULL OR e.remittance_key = a.remittance_key OR e.is_part)
LEFT JOIN (
    SELECT claim_key, max(answer_number) AS answer_number
    FROM answers
    WHERE is_deciding AND claim_frequency_code = '7'
    GROUP BY claim_key
) AS r ON r.claim_key = a.claim_key
-- A replacement leaves nothing of what it replaces.
WHERE a.claim_version_key IS NOT NULL OR e.answer_number >= coalesce(r.answer_number, 0)

-- name: undecided_slots
-- Lines without a decision. One answered without a decision (contract only, duplicate, zero charge)
-- does not hold the claim up.
SELECT claim_key, slot, has_pending
FROM line_states
WHERE
    first_determination IS NULL
    AND coalesce(has_undecided, 0) = 0
    AND coalesce(has_rejected, 0) = 0

-- name: whole_answers
-- Answers over the whole charge: a line they pass over in silence was bundled, and waits no more.
SELECT DISTINCT p.claim_version_key
FROM parts_in_claims AS p
INNER JOIN answers AS r ON r.remittance_key = p.remittance_key
INNER JOIN versions AS v ON v.claim_version_key = p.claim_version_key
WHERE
    p.claim_key IN (SELECT claim_key FROM undecided_slots)
    AND p.is_deciding
    AND abs(r.charge_cents) >= v.charge_cents
    AND p.determination IN ('approved', 'partially_approved', 'denied')

-- name: waiting_slots
-- Lines sent that still wait for a decision.
SELECT k.claim_key, k.slot
FROM undecided_slots AS k
WHERE
    k.has_pending = 1
    OR NOT EXISTS (
        SELECT 1 FROM service_slots AS s
        INNER JOIN whole_answers AS w ON w.claim_version_key = s.claim_version_key
        WHERE s.claim_key = k.claim_key AND s.slot = k.slot
    )

-- name: scoped_lines
-- Which lines make their claim's first determination, which its final one, and which still wait.
SELECT
    l.claim_key,
    l.slot,
    l.first_determination,
    l.first_date,
    l.first_category,
    l.first_reason_code,
    l.first_remark_code,
    l.first_charge_cents,
    l.final_determination,
    l.final_date,
    l.final_category,
    l.final_allowed_cents,
    l.final_remittance_key,
    EXISTS (
        SELECT 1 FROM first_slots AS f WHERE f.claim_key = l.claim_key AND f.slot = l.slot
    ) AS is_first,
    EXISTS (
        SELECT 1 FROM last_slots AS t WHERE t.claim_key = l.claim_key AND t.slot = l.slot
    ) AS is_final,
    EXISTS (
        SELECT 1 FROM waiting_slots AS w WHERE w.claim_key = l.claim_key AND w.slot = l.slot
    ) AS is_waiting
FROM line_states AS l

-- name: line_counts
SELECT
    claim_key,
    max(CASE WHEN is_first THEN 1 ELSE 0 END) AS has_first,
    count(CASE WHEN is_first AND first_determination = 'approved' THEN 1 END) AS first_approved,
    count(CASE WHEN is_first AND first_determination = 'partially_approved' THEN 1 END)
        AS first_partial,
    count(CASE WHEN is_first AND first_determination = 'denied' THEN 1 END) AS first_denied,
    count(CASE WHEN is_first AND is_waiting THEN 1 END) AS first_waiting,
    max(CASE WHEN is_first THEN first_date END) AS first_date,
    count(CASE WHEN is_final AND final_determination = 'approved' THEN 1 END) AS final_approved,
    count(CASE WHEN is_final AND final_determination = 'partially_approved' THEN 1 END)
        AS final_partial,
    count(CASE WHEN is_final AND final_determination = 'denied' THEN 1 END) AS final_denied,
    count(
        CASE
            WHEN NOT is_final THEN NULL
            WHEN final_determination = 'pending' THEN 1
            WHEN final_determination IS NULL AND first_determination IS NOT NULL THEN 1
            WHEN is_waiting THEN 1
        END
    ) AS final_waiting,
    max(CASE WHEN is_final THEN final_date END) AS final_date,
    sum(CASE WHEN is_final THEN coalesce(final_allowed_cents, 0) END) AS allowed_cents
FROM scoped_lines
GROUP BY claim_key

-- name: claim_reasons
-- The category of the largest denied or cut charge, first answer and standing answer.
SELECT
    claim_key,
    max(CASE WHEN which = 'first' THEN category END) AS first_category,
    max(CASE WHEN which = 'first' THEN reason_code END) AS first_reason_code,
    max(CASE WHEN which = 'first' THEN remark_code END) AS first_remark_code,
    max(CASE WHEN which = 'final' THEN category END) AS final_category
FROM (
    SELECT
        which,
        claim_key,
        category,
        reason_code,
        remark_code,
        row_number() OVER (
            PARTITION BY claim_key, which
            ORDER BY
                CASE WHEN determination = 'denied' THEN 0 ELSE 1 END,
                charge_cents DESC,
                reason_code,
                slot
        ) AS choice
    FROM (
        SELECT
            'first' AS which,
            claim_key,
            slot,
            first_determination AS determination,
            first_category AS category,
            first_reason_code AS reason_code,
            first_remark_code AS remark_code,
            first_charge_cents AS charge_cents
        FROM scoped_lines
        WHERE is_first AND first_determination IN ('denied', 'partially_approved')
        UNION ALL
        SELECT
            'final', claim_key, slot, final_determination, final_category, NULL, NULL,
            first_charge_cents
        FROM scoped_lines
        WHERE is_final AND final_determination IN ('denied', 'partially_approved')
    ) AS reasons
) AS ranked
WHERE choice = 1
GROUP BY claim_key

-- name: version_facts
SELECT
    claim_key,
    count(*) AS n_versions,
    max(CASE WHEN is_primary AND claim_frequency_code = '7' THEN 1 ELSE 0 END) AS is_corrected,
    max(CASE WHEN is_primary THEN submitted_date END) AS last_submitted_date
FROM versions
GROUP BY claim_key

-- name: first_versions
SELECT * FROM versions WHERE version_number = 1

-- name: latest_versions
-- The latest version that is neither a void nor a part of an earlier one: its lines and charge are
-- the claim's.
SELECT v.claim_key, v.claim_version_key, v.charge_cents
FROM versions AS v
INNER JOIN (
    SELECT claim_key, max(version_number) AS version_number
    FROM versions
    WHERE
        is_primary
        AND NOT is_void
        AND claim_version_key NOT IN (SELECT claim_version_key FROM partial_versions)
    GROUP BY claim_key
) AS l ON l.claim_key = v.claim_key AND l.version_number = v.version_number

-- name: voided_claims
-- The last primary version is a void.
SELECT claim_key FROM (
    SELECT
        claim_key,
        is_void,
        row_number() OVER (PARTITION BY claim_key ORDER BY version_number DESC) AS from_last
    FROM versions
    WHERE is_primary
) AS ranked
WHERE from_last = 1 AND is_void

-- name: answer_facts
SELECT
    a.claim_key,
    count(*) AS n_remittances,
    sum(CASE WHEN coalesce(a.claim_status_code, '') IN ('23', '25') THEN 0 ELSE 1 END) AS n_judging,
    sum(a.paid_cents) AS paid_cents,
    max(CASE WHEN a.is_reversal THEN 1 ELSE 0 END) AS is_reversed,
    min(a.answer_number) AS first_answer_number
FROM answers AS a
GROUP BY a.claim_key

-- name: undecided_claims
-- Claims without any final answer: what their answers said instead.
SELECT
    claim_key,
    max(CASE WHEN determination = 'pending' THEN 1 ELSE 0 END) AS has_pending,
    max(CASE WHEN determination = 'rejected' THEN 1 ELSE 0 END) AS has_rejected,
    max(CASE WHEN determination = 'rejected' THEN payment_date END) AS rejected_date
FROM events
WHERE is_deciding AND claim_key NOT IN (SELECT claim_key FROM first_answered)
GROUP BY claim_key

-- name: refused_claims
-- Stopped at the door: refused, never answered, and not sent again since.
SELECT k.claim_key
FROM latest_acknowledgments AS k
INNER JOIN version_facts AS v ON v.claim_key = k.claim_key
WHERE
    NOT k.is_accepted
    AND k.claim_key NOT IN (SELECT claim_key FROM answers)
    AND (k.effective_date IS NULL OR v.last_submitted_date <= k.effective_date)

-- name: standing_money
-- Patient's part and claim-level allowed parts of the remittances that stand at the end.
SELECT
    r.claim_key,
    sum(a.patient_part_cents) AS patient_part_cents,
    sum(
        CASE
            WHEN a.remittance_line_key IS NULL AND r.has_lines THEN a.allowed_part_cents
            ELSE 0
        END
    ) AS claim_level_cents
FROM (
    SELECT DISTINCT
        claim_key,
        final_remittance_key AS remittance_key,
        final_remittance_key IN (SELECT remittance_key FROM keyed_remittance_lines) AS has_lines
    FROM scoped_lines
    WHERE is_final AND final_remittance_key IS NOT NULL
) AS r
INNER JOIN adjustment_sums AS a ON a.remittance_key = r.remittance_key
GROUP BY r.claim_key

-- name: told_claims
SELECT
    i.claim_key,
    coalesce(c.has_first, 0) = 1 AS has_first,
    c.first_approved,
    c.first_partial,
    c.first_denied,
    c.first_waiting,
    c.first_date,
    c.final_approved,
    c.final_partial,
    c.final_denied,
    c.final_waiting,
    c.final_date,
    c.allowed_cents,
    coalesce(u.has_pending, 0) = 1 AS has_pending,
    coalesce(u.has_rejected, 0) = 1 AS has_rejected,
    u.rejected_date,
    coalesce(a.n_judging, 0) AS n_judging,
    coalesce(a.paid_cents, 0) AS paid_cents,
    v.last_submitted_date
FROM claim_keys AS i
LEFT JOIN line_counts AS c ON c.claim_key = i.claim_key
LEFT JOIN undecided_claims AS u ON u.claim_key = i.claim_key
LEFT JOIN answer_facts AS a ON a.claim_key = i.claim_key
LEFT JOIN version_facts AS v ON v.claim_key = i.claim_key

-- name: determined_claims
SELECT
    claim_key,
    CASE
        WHEN first_waiting > 0 THEN 'pending'
        WHEN first_partial > 0 OR (first_approved > 0 AND first_denied > 0)
            THEN 'partially_approved'
        WHEN first_approved > 0 THEN 'approved'
        WHEN first_denied > 0 THEN 'denied'
        WHEN claim_key IN (SELECT claim_key FROM voided_claims) THEN 'voided'
        WHEN has_pending THEN 'pending'
        WHEN
            has_rejected
            AND (last_submitted_date IS NULL OR last_submitted_date <= rejected_date)
            THEN 'rejected'
        WHEN claim_key IN (SELECT claim_key FROM refused_claims) THEN 'rejected'
        WHEN has_rejected OR n_judging = 0 THEN 'pending'
        ELSE 'unknown'
    END AS first_determination,
    first_date,
    CASE
        WHEN claim_key IN (SELECT claim_key FROM voided_claims) AND paid_cents = 0 THEN 'voided'
        WHEN final_waiting > 0 THEN 'pending'
        WHEN final_partial > 0 OR (final_approved > 0 AND final_denied > 0)
            THEN 'partially_approved'
        WHEN final_approved > 0 THEN 'approved'
        WHEN final_denied > 0 THEN 'denied'
        WHEN has_first OR has_pending THEN 'pending'
        WHEN
            has_rejected
            AND (last_submitted_date IS NULL OR last_submitted_date <= rejected_date)
            THEN 'rejected'
        WHEN claim_key IN (SELECT claim_key FROM refused_claims) THEN 'rejected'
        WHEN has_rejected OR n_judging = 0 THEN 'pending'
        ELSE 'unknown'
    END AS final_determination,
    final_date,
    allowed_cents
FROM told_claims
