-- Which claim versions and remittances belong to one claim.
-- Inputs: claims, service_lines, remittances, remittance_lines, adjustments. Edges first, then
-- labels spread along them (see lineage.py), then remittances are placed.

-- name: versions
SELECT
    c.claim_version_id,
    upper(trim(c.patient_control_number)) AS control_number,
    c.claim_frequency_code,
    upper(trim(c.original_reference_number)) AS reference_number,
    c.patient_id,
    c.payer_id,
    c.service_date,
    c.service_to_date,
    c.submitted_date,
    c.charge_cents,
    c.payer_sequence_code
FROM claims AS c

-- name: numbered_remittances
-- A number of nothing but zeros is what insurers write when they were given none.
SELECT
    remittance_id,
    CASE
        WHEN NOT regexp_matches(trim(patient_control_number), '^0*$')
            THEN upper(trim(patient_control_number))
    END AS control_number,
    upper(trim(payer_claim_control_number)) AS payer_number,
    payer_id,
    service_date,
    abs(charge_cents) AS charge_cents,
    payment_date
FROM remittances

-- name: referred_remittances
-- Those whose insurer's number some version names in REF F8.
SELECT *
FROM numbered_remittances
WHERE payer_number IN (SELECT reference_number FROM versions)

-- name: related_ids
-- The versions that share their number or their patient with another one of the same day, those that
-- name an earlier one, and those that may be named. Only they can belong together, so only they are
-- compared.
SELECT claim_version_id
FROM (
    SELECT claim_version_id, count(*) OVER (PARTITION BY control_number, service_date) AS n
    FROM versions
    WHERE control_number IS NOT NULL
) AS of_number
WHERE n > 1
UNION
SELECT claim_version_id
FROM (
    SELECT claim_version_id, count(*) OVER (PARTITION BY patient_id, service_date) AS n
    FROM versions
    WHERE patient_id IS NOT NULL AND service_date IS NOT NULL
) AS of_patient
WHERE n > 1
UNION
SELECT claim_version_id
FROM versions
WHERE
    reference_number IS NOT NULL
    OR control_number IN (SELECT reference_number FROM versions)
    OR control_number IN (SELECT control_number FROM referred_remittances)

-- name: related_lines
SELECT l.claim_version_id, l.procedure_code, l.charge_cents
FROM service_lines AS l
WHERE l.claim_version_id IN (SELECT claim_version_id FROM related_ids)

-- name: line_signatures
-- What was done and charged, whatever the modifiers: a resubmission often changes those.
SELECT
    claim_version_id,
    count(*) AS n_lines,
    nullif(
        array_to_string(
            list_sort(list(procedure_code || '/' || CAST(charge_cents AS VARCHAR))), '+'
        ),
        ''
    ) AS signature
FROM related_lines
GROUP BY claim_version_id

-- name: related_versions
SELECT
    v.claim_version_id,
    v.control_number,
    coalesce(v.claim_frequency_code, '1') NOT IN ('7', '8') AS is_sent_as_new,
    v.reference_number,
    v.patient_id,
    v.payer_id,
    v.service_date,
    v.submitted_date,
    v.charge_cents,
    coalesce(v.payer_sequence_code, 'P') AS payer_sequence_code,
    s.n_lines,
    s.signature,
    v.patient_id || '@' || CAST(v.service_date AS VARCHAR) || '@' || v.payer_id || '@'
    || s.signature AS service_key,
    row_number() OVER (
        ORDER BY v.submitted_date NULLS FIRST, v.claim_frequency_code, v.claim_version_id
    ) AS version_order
FROM versions AS v
LEFT JOIN line_signatures AS s ON s.claim_version_id = v.claim_version_id
WHERE v.claim_version_id IN (SELECT claim_version_id FROM related_ids)

-- name: related_remittances
SELECT
    n.remittance_id,
    n.control_number,
    n.service_date,
    r.charge_cents,
    r.paid_cents
FROM numbered_remittances AS n
INNER JOIN remittances AS r ON r.remittance_id = n.remittance_id
WHERE
    n.control_number IN (SELECT control_number FROM related_versions)
    AND coalesce(r.claim_status_code, '') NOT IN ('2', '3', '20', '21', '23', '25')

-- name: accepted_lines
-- Lines a first insurer paid or priced to the patient and did not take back, by the number and
-- day they were answered under. An answer without lines accepts the whole charge.
SELECT control_number, service_date, procedure_code, charge_cents
FROM (
    SELECT
        r.control_number,
        r.service_date,
        s.procedure_code,
        abs(coalesce(s.charge_cents, r.charge_cents)) AS charge_cents,
        CASE WHEN coalesce(s.charge_cents, r.charge_cents) < 0 THEN -1 ELSE 1 END AS counted
    FROM related_remittances AS r
    LEFT JOIN (
        SELECT
            remittance_id,
            remittance_line_id,
            coalesce(submitted_procedure_code, procedure_code) AS procedure_code,
            charge_cents,
            paid_cents
        FROM remittance_lines
        WHERE remittance_id IN (SELECT remittance_id FROM related_remittances)
    ) AS s ON s.remittance_id = r.remittance_id
    LEFT JOIN (
        SELECT
            remittance_id,
            coalesce(remittance_line_id, '') AS remittance_line_id,
            sum(amount_cents) AS amount_cents
        FROM adjustments
        WHERE
            group_code = 'PR'
            AND reason_code IN ('1', '2', '3')
            AND remittance_id IN (SELECT remittance_id FROM related_remittances)
        GROUP BY remittance_id, remittance_line_id
    ) AS a
        ON
            a.remittance_id = r.remittance_id
            AND a.remittance_line_id = coalesce(s.remittance_line_id, '')
    WHERE coalesce(s.paid_cents, r.paid_cents) <> 0 OR coalesce(a.amount_cents, 0) <> 0
) AS counted_lines
GROUP BY control_number, service_date, procedure_code, charge_cents
HAVING sum(counted) > 0

-- name: accepted_version_lines
SELECT DISTINCT v.claim_version_id, s.procedure_code, s.charge_cents
FROM related_versions AS v
INNER JOIN related_lines AS s ON s.claim_version_id = v.claim_version_id
INNER JOIN accepted_lines AS a
    ON
        a.control_number = v.control_number
        AND (a.service_date IS NULL OR a.service_date = v.service_date)
        AND (
            (a.procedure_code = s.procedure_code AND a.charge_cents = s.charge_cents)
            OR (a.procedure_code IS NULL AND a.charge_cents = v.charge_cents)
        )

-- name: named_versions
-- The earlier versions that REF F8 may name: by the insurer's number, or by the practice's own,
-- which some write there.
SELECT DISTINCT v.claim_version_id, w.claim_version_id AS earlier_version_id
FROM related_versions AS v
INNER JOIN referred_remittances AS r ON r.payer_number = v.reference_number
INNER JOIN related_versions AS w
    ON
        w.control_number = r.control_number
        AND (r.service_date IS NULL OR r.service_date = w.service_date)
        AND (w.patient_id = v.patient_id OR w.control_number = v.control_number)
WHERE w.version_order < v.version_order
UNION
SELECT v.claim_version_id, w.claim_version_id
FROM related_versions AS v
INNER JOIN related_versions AS w ON w.control_number = v.reference_number
WHERE
    w.version_order < v.version_order
    AND coalesce(w.patient_id, '') = coalesce(v.patient_id, '')

-- name: own_day_relatives
-- Versions that name another and have an earlier one of the same day: by their number, or by the
-- same service.
SELECT v.claim_version_id
FROM related_versions AS v
INNER JOIN related_versions AS u
    ON
        u.service_date = v.service_date
        AND u.control_number = v.control_number
        AND u.version_order < v.version_order
WHERE v.claim_version_id IN (SELECT claim_version_id FROM named_versions)
UNION
SELECT v.claim_version_id
FROM related_versions AS v
INNER JOIN related_versions AS u
    ON
        u.service_date = v.service_date
        AND u.service_key = v.service_key
        AND u.version_order < v.version_order
WHERE v.claim_version_id IN (SELECT claim_version_id FROM named_versions)

-- name: referenced_versions
-- A reference is believed when the day agrees. Another day is believed too, for a correction may
-- mend the day, unless the version plainly belongs to a claim of its own day: then the reference
-- was mistyped, and two visits must not become one.
SELECT r.claim_version_id, r.earlier_version_id
FROM (
    SELECT
        n.*,
        v.control_number = w.control_number AS is_same_number,
        coalesce(v.service_date = w.service_date, true) AS is_same_day,
        coalesce(
            min(w.service_date) OVER (PARTITION BY n.claim_version_id)
            = max(w.service_date) OVER (PARTITION BY n.claim_version_id),
            false
        ) AS is_one_day,
        max(CASE WHEN v.service_date = w.service_date THEN 1 ELSE 0 END) OVER (
            PARTITION BY n.claim_version_id
        ) AS has_same_day
    FROM named_versions AS n
    INNER JOIN related_versions AS v ON v.claim_version_id = n.claim_version_id
    INNER JOIN related_versions AS w ON w.claim_version_id = n.earlier_version_id
) AS r
WHERE
    r.is_same_day
    OR (
        r.has_same_day = 0
        AND r.is_one_day
        AND (
            r.is_same_number
            OR r.claim_version_id NOT IN (SELECT claim_version_id FROM own_day_relatives)
        )
    )

-- name: distrusted_references
SELECT DISTINCT claim_version_id
FROM named_versions
WHERE claim_version_id NOT IN (SELECT claim_version_id FROM referenced_versions)

-- name: accepted_in_turn
-- The same service sent as new under several numbers is one claim sent again, unless an insurer
-- accepted the very same line under each: then it was done more than once that day.
SELECT
    claim_version_id,
    service_key,
    control_number,
    max(turn) AS turn
FROM (
    SELECT
        a.claim_version_id,
        v.service_key,
        v.control_number,
        dense_rank() OVER (
            PARTITION BY v.service_key, a.procedure_code, a.charge_cents
            ORDER BY f.first_order
        ) AS turn
    FROM accepted_version_lines AS a
    INNER JOIN related_versions AS v ON v.claim_version_id = a.claim_version_id
    INNER JOIN (
        SELECT service_key, control_number, min(version_order) AS first_order
        FROM related_versions
        GROUP BY service_key, control_number
    ) AS f ON f.service_key = v.service_key AND f.control_number = v.control_number
    WHERE v.is_sent_as_new
) AS turns
GROUP BY claim_version_id, service_key, control_number

-- name: same_number_pairs
-- Two versions under one number and day, sent as new and accepted both.
SELECT v.claim_version_id, e.claim_version_id AS earlier_version_id
FROM related_versions AS v
INNER JOIN related_versions AS e
    ON
        e.control_number = v.control_number
        AND e.service_date = v.service_date
        AND e.payer_sequence_code = v.payer_sequence_code
WHERE
    e.version_order < v.version_order
    AND v.is_sent_as_new
    AND e.is_sent_as_new
    AND v.claim_version_id IN (SELECT claim_version_id FROM accepted_version_lines)
    AND e.claim_version_id IN (SELECT claim_version_id FROM accepted_version_lines)

-- name: counted_lines
SELECT claim_version_id, procedure_code, charge_cents, count(*) AS n
FROM related_lines
GROUP BY claim_version_id, procedure_code, charge_cents

-- name: other_services
-- They are two claims when they have no line in common.
SELECT DISTINCT claim_version_id
FROM (
    SELECT p.claim_version_id, p.earlier_version_id
    FROM same_number_pairs AS p
    LEFT JOIN counted_lines AS a ON a.claim_version_id = p.claim_version_id
    LEFT JOIN counted_lines AS b
        ON
            b.claim_version_id = p.earlier_version_id
            AND b.procedure_code = a.procedure_code
            AND b.charge_cents = a.charge_cents
    GROUP BY p.claim_version_id, p.earlier_version_id
    HAVING count(b.claim_version_id) = 0
) AS unlike

-- name: smaller_resends
-- A version sent as new with fewer lines than an earlier, answered one of the same visit.
SELECT
    v.claim_version_id,
    v.n_lines,
    e.claim_version_id AS earlier_version_id,
    e.version_order AS earlier_order
FROM related_versions AS v
INNER JOIN related_versions AS e
    ON
        e.patient_id = v.patient_id
        AND e.payer_id = v.payer_id
        AND e.service_date = v.service_date
WHERE
    v.is_sent_as_new
    AND e.control_number <> v.control_number
    AND e.submitted_date < v.submitted_date
    AND e.n_lines > v.n_lines
    AND e.control_number IN (SELECT control_number FROM numbered_remittances)

-- name: compared_resends
-- How many of its lines the earlier version has too, and how many were accepted there.
SELECT
    p.claim_version_id,
    p.earlier_version_id,
    p.earlier_order,
    p.n_lines,
    sum(CASE WHEN b.n >= a.n THEN a.n ELSE 0 END) AS n_found,
    count(x.claim_version_id) AS n_accepted
FROM smaller_resends AS p
INNER JOIN counted_lines AS a ON a.claim_version_id = p.claim_version_id
LEFT JOIN counted_lines AS b
    ON
        b.claim_version_id = p.earlier_version_id
        AND b.procedure_code = a.procedure_code
        AND b.charge_cents = a.charge_cents
LEFT JOIN accepted_version_lines AS x
    ON
        x.claim_version_id = p.earlier_version_id
        AND x.procedure_code = a.procedure_code
        AND x.charge_cents = a.charge_cents
GROUP BY p.claim_version_id, p.earlier_version_id, p.earlier_order, p.n_lines

-- name: resent_parts
-- Some lines of an answered claim, sent again as new under another number while they stand
-- unpaid: the claim asks again for those lines.
SELECT claim_version_id, earlier_version_id
FROM (
    SELECT
        claim_version_id,
        earlier_version_id,
        row_number() OVER (PARTITION BY claim_version_id ORDER BY earlier_order DESC) AS choice
    FROM compared_resends
    WHERE n_found = n_lines AND n_accepted = 0
) AS ranked
WHERE choice = 1

-- name: links
-- A version and an earlier one of the same claim. A control number alone proves nothing: practices
-- reuse it for a patient's every visit, so the day of service stands beside it.
SELECT version_order, earlier_order
FROM (
    SELECT
        version_order,
        min(version_order) OVER (
            PARTITION BY
                control_number,
                service_date,
                CASE
                    WHEN claim_version_id IN (SELECT claim_version_id FROM other_services)
                        THEN coalesce(signature, claim_version_id)
                END
        ) AS earlier_order
    FROM related_versions
    WHERE control_number IS NOT NULL
    UNION ALL
    SELECT
        v.version_order,
        min(v.version_order) OVER (PARTITION BY v.service_key, coalesce(t.turn, 1))
    FROM related_versions AS v
    LEFT JOIN accepted_in_turn AS t ON t.claim_version_id = v.claim_version_id
    WHERE
        v.service_key IS NOT NULL
        AND v.claim_version_id NOT IN (SELECT claim_version_id FROM referenced_versions)
    UNION ALL
    SELECT v.version_order, e.version_order
    FROM (
        SELECT claim_version_id, earlier_version_id FROM referenced_versions
        UNION ALL
        SELECT claim_version_id, earlier_version_id FROM resent_parts
    ) AS n
    INNER JOIN related_versions AS v ON v.claim_version_id = n.claim_version_id
    INNER JOIN related_versions AS e ON e.claim_version_id = n.earlier_version_id
) AS pairs
WHERE earlier_order < version_order

-- name: labels
SELECT version_order, version_order AS label FROM links
UNION
SELECT earlier_order, earlier_order FROM links
