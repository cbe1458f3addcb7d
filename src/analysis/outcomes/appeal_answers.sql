-- What insurers say of appeals in their answers.
-- Inputs: the stages of keys.sql, answers.sql and determinations.sql.

-- name: reversal_reasons
-- Why an insurer took an answer back, where the reversal says so.
SELECT
    a.claim_key,
    a.remittance_key,
    a.answer_number,
    max(
        CASE m.remark_code
            WHEN 'N690' THEN 'appeal'
            WHEN 'N691' THEN 'appeal'
            WHEN 'N11' THEN 'appeal'
            WHEN 'N694' THEN 'corrected_claim'
            WHEN 'N693' THEN 'void'
            WHEN 'N688' THEN 'audit'
            WHEN 'N432' THEN 'audit'
            WHEN 'N687' THEN 'retroactive_change'
            WHEN 'N689' THEN 'retroactive_change'
            WHEN 'N692' THEN 'retroactive_change'
            WHEN 'N696' THEN 'other_insurer'
        END
    ) AS reversal_reason
FROM answers AS a
INNER JOIN keyed_remarks AS m ON m.remittance_key = a.remittance_key
WHERE a.is_reversal
GROUP BY a.claim_key, a.remittance_key, a.answer_number

-- name: last_reversal_reasons
SELECT claim_key, reversal_reason
FROM (
    SELECT
        *,
        row_number() OVER (PARTITION BY claim_key ORDER BY answer_number DESC) AS from_last
    FROM reversal_reasons
    WHERE reversal_reason IS NOT NULL
) AS ranked
WHERE from_last = 1

-- name: said_of_appeals
-- Codes that speak of an appeal: its result (MA91), an answer reversed for it (N690 for the
-- provider's, N691 for the patient's, N11 by medical review), a decision kept (CARC 193, MA46), an
-- appeal that was not heard (CARC 285, 286, formerly 138).
SELECT DISTINCT remittance_key, remark_code AS code
FROM keyed_remarks
WHERE remark_code IN ('MA91', 'N690', 'N691', 'N11', 'MA46')
UNION
SELECT DISTINCT remittance_key, 'CARC ' || reason_code
FROM coded_adjustments
WHERE reason_code IN ('193', '285', '286', '138') AND amount_cents > 0

-- name: spoken_of
-- A code on a reversal is about the answer that follows it.
SELECT c.claim_key, c.remittance_key, s.code
FROM said_of_appeals AS s
INNER JOIN answers AS c ON c.remittance_key = s.remittance_key
WHERE c.is_deciding
UNION
SELECT claim_key, remittance_key, code
FROM (
    SELECT
        c.claim_key,
        c.remittance_key,
        s.code,
        row_number() OVER (
            PARTITION BY v.remittance_key, s.code ORDER BY c.answer_number
        ) AS choice
    FROM said_of_appeals AS s
    INNER JOIN answers AS v ON v.remittance_key = s.remittance_key
    INNER JOIN answers AS c
        ON c.claim_key = v.claim_key AND c.answer_number > v.answer_number
    WHERE v.is_reversal AND c.is_deciding
) AS following
WHERE choice = 1

-- name: allowed_before
-- For every line of every answer, what had been allowed of it until then.
SELECT
    e.claim_key,
    e.remittance_key,
    e.slot,
    coalesce(p.allowed_cents, 0) AS before_cents,
    row_number() OVER (
        PARTITION BY e.remittance_key, e.slot ORDER BY p.answer_number DESC NULLS LAST, p.line_number
    ) AS choice
FROM events AS e
LEFT JOIN final_answers AS p
    ON p.claim_key = e.claim_key AND p.slot = e.slot AND p.answer_number < e.answer_number
WHERE e.remittance_key IN (SELECT remittance_key FROM spoken_of)

-- name: appeal_decisions
-- One row per answer to an appeal. More allowed than before is a win, in part where lines or units
-- stay refused; no more allowed is a decision kept.
SELECT
    d.claim_key,
    d.remittance_key,
    d.payment_date,
    d.answer_number,
    c.codes,
    d.after_cents - d.before_cents AS won_cents,
    CASE
        WHEN d.after_cents > d.before_cents AND d.n_refused = 0 THEN 'overturned'
        WHEN d.after_cents > d.before_cents THEN 'partial'
        WHEN c.is_unheard = 1 THEN 'dismissed'
        ELSE 'upheld'
    END AS remittance_outcome
FROM (
    SELECT
        e.claim_key,
        e.remittance_key,
        e.payment_date,
        e.answer_number,
        sum(e.allowed_cents) AS after_cents,
        sum(b.before_cents) AS before_cents,
        sum(
            CASE WHEN e.determination IN ('denied', 'partially_approved') THEN 1 ELSE 0 END
        ) AS n_refused
    FROM events AS e
    INNER JOIN allowed_before AS b
        ON b.remittance_key = e.remittance_key AND b.slot = e.slot AND b.choice = 1
    WHERE e.determination IN ('approved', 'partially_approved', 'denied')
    GROUP BY e.claim_key, e.remittance_key, e.payment_date, e.answer_number
) AS d
INNER JOIN (
    SELECT
        remittance_key,
        string_agg(code, ', ' ORDER BY code) AS codes,
        max(CASE WHEN code IN ('CARC 285', 'CARC 286', 'CARC 138') THEN 1 ELSE 0 END) AS is_unheard
    FROM spoken_of
    GROUP BY remittance_key
) AS c ON c.remittance_key = d.remittance_key
