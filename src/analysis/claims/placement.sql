-- Where every claim version and every remittance belongs, once `labels` are final.

-- name: joined_versions
-- A claim is named for its first version, whose order is the label of all its versions.
SELECT v.claim_version_id, v.version_order, v.control_number, f.claim_version_id AS claim_id
FROM labels AS l
INNER JOIN related_versions AS v ON v.version_order = l.version_order
INNER JOIN related_versions AS f ON f.version_order = l.label

-- name: placed_versions
-- A version that nothing joins to another is a claim of its own.
SELECT
    v.claim_version_id,
    coalesce(j.claim_id, v.claim_version_id) AS claim_id,
    v.control_number,
    v.payer_id,
    v.service_date,
    v.service_to_date,
    v.charge_cents
FROM versions AS v
LEFT JOIN joined_versions AS j ON j.claim_version_id = v.claim_version_id

-- name: repeated_numbers
-- Later versions under a number that an earlier one of their claim has.
SELECT DISTINCT p.claim_version_id
FROM joined_versions AS p
INNER JOIN joined_versions AS q
    ON
        q.claim_id = p.claim_id
        AND q.control_number = p.control_number
        AND q.version_order < p.version_order

-- name: doubtful_versions
-- The same service was accepted more than once that day, or REF F8 names another visit than
-- everything else about the version does.
SELECT claim_version_id
FROM related_versions
WHERE service_key IN (SELECT service_key FROM accepted_in_turn WHERE turn > 1)
UNION
SELECT claim_version_id FROM distrusted_references

-- name: version_places
SELECT
    'claim_version' AS record,
    p.claim_version_id AS record_id,
    p.claim_id,
    CASE
        WHEN p.claim_version_id = p.claim_id THEN 'original'
        WHEN p.claim_version_id IN (SELECT claim_version_id FROM referenced_versions)
            THEN 'reference'
        WHEN p.claim_version_id IN (SELECT claim_version_id FROM repeated_numbers)
            THEN 'control_number'
        ELSE 'same_service'
    END AS match_kind,
    p.claim_version_id IN (SELECT claim_version_id FROM doubtful_versions) AS is_doubtful
FROM placed_versions AS p

-- name: shared_numbers
-- Control numbers of several versions.
SELECT control_number
FROM placed_versions
WHERE control_number IS NOT NULL
GROUP BY control_number
HAVING count(*) > 1

-- name: met_claims
-- The claims a remittance may answer: same control number, and the day of service where both know
-- it. A number of one version names one claim.
SELECT
    r.remittance_id,
    p.claim_id,
    p.control_number IN (SELECT control_number FROM shared_numbers) AS is_shared
FROM numbered_remittances AS r
INNER JOIN placed_versions AS p
    ON
        p.control_number = r.control_number
        AND (
            r.service_date IS NULL
            OR p.service_date IS NULL
            OR (r.service_date >= p.service_date AND r.service_date <= p.service_to_date)
        )

-- name: compared_claims
-- Under a shared number, the first and the last of the claims met: mostly the same one.
SELECT
    remittance_id,
    min(claim_id) AS claim_id,
    max(claim_id) AS last_id
FROM met_claims
WHERE is_shared
GROUP BY remittance_id

-- name: choosing_remittances
-- Those that may answer several claims.
SELECT r.*
FROM numbered_remittances AS r
INNER JOIN compared_claims AS m ON m.remittance_id = r.remittance_id
WHERE m.claim_id < m.last_id

-- name: known_numbers
-- The day of service that an insurer's number was used for, where an answer told it.
SELECT DISTINCT payer_number, control_number, service_date
FROM numbered_remittances
WHERE
    service_date IS NOT NULL
    AND payer_number IN (SELECT payer_number FROM choosing_remittances)

-- name: fits
-- How well each of several claims fits, the smaller the better: by the day, the insurer's number,
-- the charge and the insurer.
SELECT
    r.remittance_id,
    p.claim_id,
    min(
        CASE WHEN r.service_date = p.service_date THEN 0 ELSE 8 END
        + CASE WHEN k.payer_number IS NOT NULL THEN 0 ELSE 4 END
        + CASE WHEN r.charge_cents = p.charge_cents THEN 0 ELSE 2 END
        + CASE WHEN r.payer_id = p.payer_id THEN 0 ELSE 1 END
    ) AS fit
FROM choosing_remittances AS r
INNER JOIN placed_versions AS p
    ON
        p.control_number = r.control_number
        AND (
            r.service_date IS NULL
            OR p.service_date IS NULL
            OR (r.service_date >= p.service_date AND r.service_date <= p.service_to_date)
        )
LEFT JOIN known_numbers AS k
    ON
        k.payer_number = r.payer_number
        AND k.control_number = r.control_number
        AND k.service_date = p.service_date
GROUP BY r.remittance_id, p.claim_id

-- name: best_fits
SELECT
    *,
    row_number() OVER (PARTITION BY remittance_id ORDER BY fit, claim_id) AS choice,
    min(fit) OVER (PARTITION BY remittance_id) AS best_fit
FROM fits

-- name: by_control_number
SELECT remittance_id, claim_id, false AS is_doubtful
FROM met_claims
WHERE NOT is_shared
UNION ALL
SELECT remittance_id, claim_id, false
FROM compared_claims
WHERE claim_id = last_id
UNION ALL
SELECT
    remittance_id,
    max(CASE WHEN choice = 1 THEN claim_id END),
    sum(CASE WHEN fit = best_fit THEN 1 ELSE 0 END) > 1
FROM best_fits
GROUP BY remittance_id

-- name: unplaced_remittances
SELECT *
FROM numbered_remittances
WHERE remittance_id NOT IN (SELECT remittance_id FROM by_control_number)

-- name: by_payer_number
-- A reversal or reissue that lost the practice's number still carries the insurer's own.
SELECT r.remittance_id, min(b.claim_id) AS claim_id, count(DISTINCT b.claim_id) > 1 AS is_doubtful
FROM unplaced_remittances AS r
INNER JOIN numbered_remittances AS q ON q.payer_number = r.payer_number
INNER JOIN by_control_number AS b ON b.remittance_id = q.remittance_id
GROUP BY r.remittance_id

-- name: unclaimed
-- Answers to claims we were never given: one claim for each number and day of service. A later
-- answer that lost the number has it from an earlier one with the same number of the insurer.
SELECT
    remittance_id,
    first_value(remittance_id) OVER (
        PARTITION BY coalesce(known_number, payer_number, remittance_id), service_date
        ORDER BY payment_date NULLS FIRST, remittance_id
    ) AS claim_id
FROM (
    SELECT
        r.*,
        coalesce(
            r.control_number,
            min(r.control_number) OVER (PARTITION BY r.payer_number, r.service_date)
        ) AS known_number
    FROM unplaced_remittances AS r
    WHERE r.remittance_id NOT IN (SELECT remittance_id FROM by_payer_number)
) AS numbered

-- name: claim_lineage
-- Versions stand before remittances; to sort by the words for them costs a quarter more.
SELECT record, record_id, claim_id, match_kind, is_doubtful FROM version_places
UNION ALL
SELECT 'remittance', remittance_id, claim_id, 'control_number', is_doubtful
FROM by_control_number
UNION ALL
SELECT 'remittance', remittance_id, claim_id, 'payer_control_number', is_doubtful
FROM by_payer_number
UNION ALL
SELECT 'remittance', remittance_id, claim_id, 'remittance_only', false FROM unclaimed
ORDER BY record = 'remittance', record_id

-- name: referenced_remittances
-- WO and its kind carry the insurer's number of the old claim, sometimes with more behind it.
SELECT p.provider_adjustment_id, r.remittance_id, 1 AS sureness
FROM provider_adjustments AS p
INNER JOIN numbered_remittances AS r ON r.payer_number = upper(trim(p.reference_number))
UNION ALL
SELECT p.provider_adjustment_id, r.remittance_id, 2
FROM provider_adjustments AS p
INNER JOIN numbered_remittances AS r ON r.control_number = upper(trim(p.reference_number))
UNION ALL
SELECT p.provider_adjustment_id, r.remittance_id, 3
FROM provider_adjustments AS p
INNER JOIN (
    SELECT DISTINCT length(payer_number) AS n_signs
    FROM numbered_remittances
    WHERE length(payer_number) >= 8
) AS w ON w.n_signs <= length(trim(p.reference_number))
INNER JOIN numbered_remittances AS r
    ON r.payer_number = substr(upper(trim(p.reference_number)), 1, w.n_signs)

-- name: referenced_claims
SELECT record_id AS remittance_id, claim_id
FROM claim_lineage
WHERE
    record = 'remittance'
    AND record_id IN (SELECT remittance_id FROM referenced_remittances)

-- name: reference_candidates
SELECT DISTINCT r.provider_adjustment_id, c.claim_id, r.sureness
FROM referenced_remittances AS r
INNER JOIN referenced_claims AS c ON c.remittance_id = r.remittance_id

-- name: provider_adjustment_lineage
SELECT
    p.provider_adjustment_id,
    CASE WHEN c.n_claims = 1 THEN c.claim_id END AS claim_id,
    CASE
        WHEN c.n_claims > 1 THEN 'several_claims'
        WHEN c.sureness = 1 THEN 'payer_control_number'
        WHEN c.sureness = 2 THEN 'control_number'
        WHEN c.sureness = 3 THEN 'begins_with_payer_control_number'
        ELSE 'none'
    END AS match_kind
FROM provider_adjustments AS p
LEFT JOIN (
    SELECT
        provider_adjustment_id,
        sureness,
        min(claim_id) AS claim_id,
        count(*) AS n_claims,
        row_number() OVER (PARTITION BY provider_adjustment_id ORDER BY sureness) AS choice
    FROM reference_candidates
    GROUP BY provider_adjustment_id, sureness
) AS c ON c.provider_adjustment_id = p.provider_adjustment_id AND c.choice = 1
ORDER BY p.provider_adjustment_id
