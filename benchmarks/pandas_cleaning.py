"""The lineage step as a pandas user would write it: the peer that `cleaning` is measured against.

The same tables in, the same two tables out, to the row: every rule of `claims/lineage.sql` and
`claims/placement.sql`, in merges and grouped columns, on the same plan (only versions of one day
are compared) and with connected components from scipy. No loop over rows.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

PR_PARTS = ("1", "2", "3")
NOT_FIRST = ("2", "3", "20", "21", "23", "25")


def lineage(folder: Path) -> dict[str, pd.DataFrame]:
    """Tables `claim_lineage` and `provider_adjustment_lineage` of the tables in `folder`."""
    versions = _versions(folder)
    remittances = _remittances(folder)
    related, lines = _related(folder, versions)
    accepted = _accepted(folder, related, lines, remittances)
    named = _named(versions, remittances)
    referenced = _referenced(named, related)
    turns = _turns(accepted, related)
    resent = _resent(related, lines, accepted, remittances)
    others = _other_services(related, lines, accepted)
    links = _links(related, referenced, resent, turns, others)
    placed = _placed(versions, links)
    doubtful_keys = turns.loc[turns["turn"] > 1, "service_key"]
    doubtful = np.union1d(
        related.loc[related["service_key"].isin(doubtful_keys), "claim_version_id"],
        named.loc[~named["claim_version_id"].isin(referenced["claim_version_id"])][
            "claim_version_id"
        ],
    )
    of_versions = _version_places(placed, referenced, doubtful)
    of_remittances = _remittance_places(placed, remittances)
    places = pd.concat([of_versions, of_remittances], ignore_index=True)
    places = places.sort_values(["record", "record_id"], ignore_index=True)
    return {
        "claim_lineage": places,
        "provider_adjustment_lineage": _moved(folder, remittances, of_remittances),
    }


def write(folder: Path, made: dict[str, pd.DataFrame]) -> None:
    """The tables as Parquet files."""
    for name, frame in made.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")


def _read(folder: Path, name: str, columns: list[str]) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(folder / f"{name}.parquet", columns=columns).to_pandas(
        date_as_object=False
    )
    return frame


def _versions(folder: Path) -> pd.DataFrame:
    """Claim versions in the order they were sent; `version_order` counts them."""
    claims = _read(
        folder,
        "claims",
        ["claim_version_id", "patient_control_number", "claim_frequency_code",
         "original_reference_number", "patient_id", "payer_id", "service_date", "service_to_date",
         "submitted_date", "charge_cents", "payer_sequence_code"],
    )  # fmt: skip
    claims = claims.assign(
        control_number=claims["patient_control_number"].str.strip().str.upper(),
        reference_number=claims["original_reference_number"].str.strip().str.upper(),
        payer_sequence_code=claims["payer_sequence_code"].fillna("P"),
        is_sent_as_new=~claims["claim_frequency_code"].isin(["7", "8"]),
        sent=claims["submitted_date"].fillna(pd.Timestamp("1700-01-01")),
        frequency=claims["claim_frequency_code"].fillna("~"),
    )
    claims = claims.sort_values(["sent", "frequency", "claim_version_id"], ignore_index=True)
    claims["version_order"] = np.arange(len(claims))
    return claims.drop(columns=["sent", "frequency", "patient_control_number"])


def _remittances(folder: Path) -> pd.DataFrame:
    found = _read(
        folder,
        "remittances",
        ["remittance_id", "patient_control_number", "payer_claim_control_number", "payer_id",
         "claim_status_code", "service_date", "payment_date", "charge_cents", "paid_cents"],
    )  # fmt: skip
    number = found["patient_control_number"].str.strip()
    return found.assign(
        control_number=number.str.upper().mask(number.str.fullmatch("0*").fillna(False)),
        payer_number=found["payer_claim_control_number"].str.strip().str.upper(),
        charge=found["charge_cents"].abs(),
    )


def _related(folder: Path, versions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Versions that share their number or patient with another of that day; and their lines."""
    by_number = versions.duplicated(["control_number", "service_date"], keep=False)
    by_patient = versions.duplicated(["patient_id", "service_date"], keep=False)
    known = versions["patient_id"].notna() & versions["service_date"].notna()
    related = versions[(by_number & versions["control_number"].notna()) | (by_patient & known)]
    lines = _read(folder, "service_lines", ["claim_version_id", "procedure_code", "charge_cents"])
    lines = lines[lines["claim_version_id"].isin(related["claim_version_id"])]
    told = lines.assign(item=lines["procedure_code"] + "/" + lines["charge_cents"].astype(str))
    grouped = told.sort_values("item").groupby("claim_version_id")["item"]
    signatures = told.dropna(subset="item").sort_values("item").groupby("claim_version_id")["item"]
    related = related.merge(
        grouped.size().rename("n_lines"), "left", left_on="claim_version_id", right_index=True
    ).merge(
        signatures.agg("+".join).rename("signature"),
        "left",
        left_on="claim_version_id",
        right_index=True,
    )
    keys = related.groupby(["patient_id", "service_date", "payer_id", "signature"]).ngroup()
    return related.assign(service_key=keys.where(keys >= 0)), lines


def _accepted(
    folder: Path, related: pd.DataFrame, lines: pd.DataFrame, remittances: pd.DataFrame
) -> pd.DataFrame:
    """Lines of related versions that a first insurer paid or priced to the patient."""
    answers = remittances[
        remittances["control_number"].isin(related["control_number"].dropna())
        & ~remittances["claim_status_code"].isin(NOT_FIRST)
    ]
    parts = _read(
        folder,
        "remittance_lines",
        ["remittance_id", "remittance_line_id", "submitted_procedure_code", "procedure_code",
         "charge_cents", "paid_cents"],
    )  # fmt: skip
    parts = parts[parts["remittance_id"].isin(answers["remittance_id"])]
    parts = parts.assign(
        procedure_code=parts["submitted_procedure_code"].fillna(parts["procedure_code"])
    )
    adjusted = _read(
        folder,
        "adjustments",
        ["remittance_id", "remittance_line_id", "group_code", "reason_code", "amount_cents"],
    )
    adjusted = adjusted[
        (adjusted["group_code"] == "PR")
        & adjusted["reason_code"].isin(PR_PARTS)
        & adjusted["remittance_id"].isin(answers["remittance_id"])
    ]
    sums = (
        adjusted.assign(part=adjusted["remittance_line_id"].fillna(""))
        .groupby(["remittance_id", "part"], as_index=False)["amount_cents"]
        .sum()
    )
    known = answers[
        ["remittance_id", "control_number", "service_date", "charge_cents", "paid_cents"]
    ]
    told = known.merge(
        parts.drop(columns="submitted_procedure_code"),
        "left",
        on="remittance_id",
        suffixes=("_whole", ""),
    )
    told = told.assign(part=told["remittance_line_id"].fillna("")).merge(
        sums, "left", on=["remittance_id", "part"]
    )
    charge = told["charge_cents"].fillna(told["charge_cents_whole"])
    paid = told["paid_cents"].fillna(told["paid_cents_whole"])
    told = told.assign(charge=charge.abs(), counted=np.where(charge < 0, -1, 1))
    told = told[(paid.fillna(0) != 0) | (told["amount_cents"].fillna(0) != 0)]
    terms = ["control_number", "service_date", "procedure_code", "charge"]
    net = told.groupby(terms, dropna=False, as_index=False)["counted"].sum()
    net = net[net["counted"] > 0]
    met = (
        related[["claim_version_id", "control_number", "service_date", "charge_cents"]]
        .dropna(subset="control_number")
        .merge(lines, on="claim_version_id", suffixes=("_sent", ""))
        .merge(net, on="control_number", suffixes=("", "_answered"))
    )
    is_day = met["service_date_answered"].isna() | (
        met["service_date_answered"] == met["service_date"]
    )
    is_line = (met["procedure_code_answered"] == met["procedure_code"]) & (
        met["charge"] == met["charge_cents"]
    )
    is_whole = met["procedure_code_answered"].isna() & (met["charge"] == met["charge_cents_sent"])
    found = met[is_day & (is_line | is_whole)]
    return found[["claim_version_id", "procedure_code", "charge_cents"]].drop_duplicates()


def _named(versions: pd.DataFrame, remittances: pd.DataFrame) -> pd.DataFrame:
    """The earlier versions that REF F8 may name, with what is known of both."""
    known = ["claim_version_id", "version_order", "control_number", "patient_id", "service_date"]
    naming = versions.dropna(subset="reference_number")[[*known, "reference_number"]]
    numbered = versions[known].dropna(subset="control_number")
    by_payer = (
        remittances[["payer_number", "control_number", "service_date"]]
        .dropna(subset=["payer_number", "control_number"])
        .merge(naming, left_on="payer_number", right_on="reference_number", suffixes=("_r", ""))
        .merge(numbered, left_on="control_number_r", right_on="control_number", suffixes=("", "_w"))
    )
    is_day = by_payer["service_date_r"].isna() | (
        by_payer["service_date_r"] == by_payer["service_date_w"]
    )
    is_ours = (by_payer["patient_id_w"] == by_payer["patient_id"]) | (
        by_payer["control_number_w"] == by_payer["control_number"]
    )
    by_own = naming.merge(
        numbered, left_on="reference_number", right_on="control_number", suffixes=("", "_w")
    )
    is_patient = by_own["patient_id_w"].fillna("") == by_own["patient_id"].fillna("")
    found = pd.concat([by_payer[is_day & is_ours], by_own[is_patient]])
    found = found[found["version_order_w"] < found["version_order"]]
    return found.drop_duplicates(["claim_version_id", "claim_version_id_w"])


def _referenced(named: pd.DataFrame, related: pd.DataFrame) -> pd.DataFrame:
    """References that are believed: the same day, or another where nothing speaks against it."""
    first = related.assign(
        of_number=related.groupby(["control_number", "service_date"])["version_order"].transform(
            "min"
        ),
        of_service=related.groupby("service_key")["version_order"].transform("min"),
    )
    at_home = first.loc[
        (first["of_number"] < first["version_order"])
        | (first["of_service"] < first["version_order"]),
        "claim_version_id",
    ]
    days = named.groupby("claim_version_id")["service_date_w"]
    is_equal = named["service_date"] == named["service_date_w"]
    is_unknown = named["service_date"].isna() | named["service_date_w"].isna()
    has_same_day = is_equal.groupby(named["claim_version_id"]).transform("any")
    is_one_day = days.transform("min") == days.transform("max")
    is_same_number = named["control_number"] == named["control_number_w"]
    is_free = is_same_number | ~named["claim_version_id"].isin(at_home)
    return named[is_equal | is_unknown | (~has_same_day & is_one_day & is_free)]


def _turns(accepted: pd.DataFrame, related: pd.DataFrame) -> pd.DataFrame:
    """The same service accepted under several numbers was done in several turns."""
    sent = related.dropna(subset=["service_key", "control_number"])
    first = sent.groupby(["service_key", "control_number"])["version_order"].transform("min")
    sent = sent.assign(first_order=first)[sent["is_sent_as_new"]]
    met = accepted.merge(sent[["claim_version_id", "service_key", "first_order"]])
    terms = ["service_key", "procedure_code", "charge_cents"]
    met["turn"] = met.groupby(terms, dropna=False)["first_order"].rank("dense")
    both = ["claim_version_id", "service_key"]
    return met.groupby(both, as_index=False).agg(turn=("turn", "max"))


def _counted(lines: pd.DataFrame) -> pd.DataFrame:
    terms = ["claim_version_id", "procedure_code", "charge_cents"]
    return lines.groupby(terms, dropna=False).size().rename("n").reset_index()


def _other_services(
    related: pd.DataFrame, lines: pd.DataFrame, accepted: pd.DataFrame
) -> pd.DataFrame:
    """Versions accepted under one number and day that have no line in common with another."""
    terms = ["control_number", "service_date", "payer_sequence_code"]
    sent = related[
        related["is_sent_as_new"] & related["claim_version_id"].isin(accepted["claim_version_id"])
    ].dropna(subset=terms)[["claim_version_id", "version_order", *terms]]
    pairs = sent.merge(sent, on=terms, suffixes=("", "_e"))
    pairs = pairs[pairs["version_order_e"] < pairs["version_order"]]
    counted = _counted(lines)
    alike = pairs.merge(counted, "left", on="claim_version_id").merge(
        counted.dropna(subset="procedure_code").rename(columns={"claim_version_id": "earlier"}),
        "left",
        left_on=["claim_version_id_e", "procedure_code", "charge_cents"],
        right_on=["earlier", "procedure_code", "charge_cents"],
        suffixes=("", "_e"),
    )
    both = ["claim_version_id", "claim_version_id_e"]
    n_alike = alike.groupby(both, as_index=False).agg(n=("earlier", "count"))
    return n_alike.loc[n_alike["n"] == 0, ["claim_version_id"]].drop_duplicates()


def _resent(
    related: pd.DataFrame, lines: pd.DataFrame, accepted: pd.DataFrame, remittances: pd.DataFrame
) -> pd.DataFrame:
    """Some lines of an answered claim, sent again under another number while they stand unpaid."""
    terms = ["patient_id", "payer_id", "service_date"]
    known = related.dropna(subset=terms)[
        ["claim_version_id", "version_order", "control_number", "submitted_date", "n_lines",
         "is_sent_as_new", *terms]
    ]  # fmt: skip
    earlier = known[known["control_number"].isin(remittances["control_number"].dropna())]
    pairs = known[known["is_sent_as_new"]].merge(earlier, on=terms, suffixes=("", "_e"))
    pairs = pairs[
        (pairs["control_number_e"] != pairs["control_number"])
        & pairs["control_number"].notna()
        & (pairs["submitted_date_e"] < pairs["submitted_date"])
        & (pairs["n_lines_e"] > pairs["n_lines"])
    ]
    counted = _counted(lines)
    met = pairs.merge(counted, on="claim_version_id")
    for name, other in (("n", counted), ("accepted", accepted.assign(n=1))):
        found = other.dropna(subset="procedure_code").rename(
            columns={"claim_version_id": "claim_version_id_e", "n": f"{name}_e"}
        )
        met = met.merge(found, "left", on=["claim_version_id_e", "procedure_code", "charge_cents"])
    met["n_found"] = met["n"].where(met["n_e"] >= met["n"], 0)
    sums = met.groupby(
        ["claim_version_id", "claim_version_id_e", "version_order", "version_order_e", "n_lines"],
        as_index=False,
    ).agg(n_found=("n_found", "sum"), n_accepted=("accepted_e", "count"))
    whole = sums[(sums["n_found"] == sums["n_lines"]) & (sums["n_accepted"] == 0)]
    return whole.sort_values("version_order_e").drop_duplicates("claim_version_id", keep="last")


def _links(
    related: pd.DataFrame,
    referenced: pd.DataFrame,
    resent: pd.DataFrame,
    turns: pd.DataFrame,
    others: pd.DataFrame,
) -> pd.DataFrame:
    """A version and an earlier one of the same claim, by their orders."""
    is_other = related["claim_version_id"].isin(others["claim_version_id"])
    told = related["signature"].fillna(related["claim_version_id"]).where(is_other, "")
    numbered = related.assign(other=told).dropna(subset="control_number")
    by_number = numbered.groupby(["control_number", "service_date", "other"], dropna=False)[
        "version_order"
    ].transform("min")
    served = related.dropna(subset="service_key")
    served = served[~served["claim_version_id"].isin(referenced["claim_version_id"])]
    served = served.merge(turns[["claim_version_id", "turn"]], "left", on="claim_version_id")
    served["turn"] = served["turn"].fillna(1)
    by_service = served.groupby(["service_key", "turn"])["version_order"].transform("min")
    pairs = [
        (numbered["version_order"], by_number),
        (served["version_order"], by_service),
        (referenced["version_order"], referenced["version_order_w"]),
        (resent["version_order"], resent["version_order_e"]),
    ]
    return pd.concat(
        [pd.DataFrame({"later": a.to_numpy(), "earlier": b.to_numpy()}) for a, b in pairs]
    )


def _placed(versions: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    """Versions with their claim, which is named for its first version."""
    size = len(versions)
    graph = coo_array(
        (np.ones(len(links), bool), (links["later"], links["earlier"])), shape=(size, size)
    )
    _, component = connected_components(graph, directed=False)
    order = versions["version_order"].groupby(component).transform("min")
    names = versions["claim_version_id"].to_numpy()
    return versions.assign(claim_order=order, claim_id=names[order.to_numpy()])


def _version_places(
    placed: pd.DataFrame, referenced: pd.DataFrame, doubtful: np.ndarray
) -> pd.DataFrame:
    first = placed.groupby(["claim_order", "control_number"])["version_order"].transform("min")
    kind = np.select(
        [
            placed["version_order"] == placed["claim_order"],
            placed["claim_version_id"].isin(referenced["claim_version_id"]),
            first < placed["version_order"],
        ],
        ["original", "reference", "control_number"],
        "same_service",
    )
    return pd.DataFrame(
        {
            "record": "claim_version",
            "record_id": placed["claim_version_id"],
            "claim_id": placed["claim_id"],
            "match_kind": kind,
            "is_doubtful": placed["claim_version_id"].isin(doubtful),
        }
    )


def _remittance_places(placed: pd.DataFrame, remittances: pd.DataFrame) -> pd.DataFrame:
    known = ["claim_id", "control_number", "service_date", "service_to_date", "charge_cents",
             "payer_id"]  # fmt: skip
    answers = remittances[
        ["remittance_id", "control_number", "payer_number", "service_date", "charge", "payer_id"]
    ]
    met = answers.dropna(subset="control_number").merge(
        placed[known].dropna(subset="control_number"), on="control_number", suffixes=("", "_p")
    )
    day = met["service_date"]
    met = met[
        day.isna()
        | met["service_date_p"].isna()
        | ((day >= met["service_date_p"]) & (day <= met["service_to_date"]))
    ]
    claims = met.groupby("remittance_id")["claim_id"]
    is_choice = claims.transform("nunique") > 1
    sole = met.loc[~is_choice, ["remittance_id", "claim_id"]].drop_duplicates()
    choices = _best(met[is_choice], answers)
    by_number = pd.concat([sole.assign(is_doubtful=False), choices])
    by_number["match_kind"] = "control_number"
    unplaced = remittances[~remittances["remittance_id"].isin(by_number["remittance_id"])]
    by_payer = _by_payer_number(unplaced, answers, by_number)
    left = unplaced[~unplaced["remittance_id"].isin(by_payer["remittance_id"])]
    places = pd.concat([by_number, by_payer, _unclaimed(left)])
    return places.rename(columns={"remittance_id": "record_id"}).assign(record="remittance")[
        ["record", "record_id", "claim_id", "match_kind", "is_doubtful"]
    ]


def _best(met: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """The best of several claims for each remittance, and whether others are as good."""
    terms = ["payer_number", "control_number", "service_date"]
    known = answers.dropna(subset=terms)[terms].drop_duplicates().assign(is_known=True)
    met = met.merge(
        known.rename(columns={"service_date": "service_date_p"}),
        "left",
        on=["payer_number", "control_number", "service_date_p"],
    )
    fit = (
        (met["service_date"] != met["service_date_p"]) * 8
        + met["is_known"].isna() * 4
        + (met["charge"] != met["charge_cents"]) * 2
        + (met["payer_id"] != met["payer_id_p"]).fillna(True) * 1
    )
    fits = met.assign(fit=fit).groupby(["remittance_id", "claim_id"], as_index=False)["fit"].min()
    best = fits[fits["fit"] == fits.groupby("remittance_id")["fit"].transform("min")]
    chosen = best.groupby("remittance_id")["claim_id"].agg(["min", "size"]).reset_index()
    return pd.DataFrame(
        {
            "remittance_id": chosen["remittance_id"],
            "claim_id": chosen["min"],
            "is_doubtful": chosen["size"] > 1,
        }
    )


def _by_payer_number(
    unplaced: pd.DataFrame, answers: pd.DataFrame, by_number: pd.DataFrame
) -> pd.DataFrame:
    known = answers[["remittance_id", "payer_number"]].merge(
        by_number[["remittance_id", "claim_id"]], on="remittance_id"
    )
    met = unplaced.dropna(subset="payer_number")[["remittance_id", "payer_number"]].merge(
        known[["payer_number", "claim_id"]], on="payer_number"
    )
    found = met.groupby("remittance_id")["claim_id"].agg(["min", "nunique"]).reset_index()
    return pd.DataFrame(
        {
            "remittance_id": found["remittance_id"],
            "claim_id": found["min"],
            "is_doubtful": found["nunique"] > 1,
            "match_kind": "payer_control_number",
        }
    )


def _unclaimed(left: pd.DataFrame) -> pd.DataFrame:
    """Answers to claims never given: one claim for each number and day of service."""
    of_payer = left.groupby(["payer_number", "service_date"], dropna=False)["control_number"]
    number = left["control_number"].fillna(of_payer.transform("min"))
    key = number.fillna(left["payer_number"]).fillna(left["remittance_id"])
    paid = left["payment_date"].fillna(pd.Timestamp("1700-01-01"))
    told = left.assign(key=key, paid=paid).sort_values(["paid", "remittance_id"])
    first = told.groupby(["key", "service_date"], dropna=False)["remittance_id"].transform("first")
    return pd.DataFrame(
        {
            "remittance_id": told["remittance_id"],
            "claim_id": first,
            "is_doubtful": False,
            "match_kind": "remittance_only",
        }
    )


def _moved(folder: Path, remittances: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Which claim each PLB amount names, the surest way first."""
    moved = _read(folder, "provider_adjustments", ["provider_adjustment_id", "reference_number"])
    moved["reference"] = moved["reference_number"].str.strip().str.upper()
    answers = remittances[["remittance_id", "payer_number", "control_number"]].merge(
        places[["record_id", "claim_id"]], left_on="remittance_id", right_on="record_id"
    )
    known = moved.dropna(subset="reference")
    found = []
    for sureness, number in ((1, "payer_number"), (2, "control_number")):
        met = known.merge(answers.dropna(subset=number), left_on="reference", right_on=number)
        found.append(met.assign(sureness=sureness))
    lengths = answers["payer_number"].str.len()
    for n_signs in lengths[lengths >= 8].unique():
        begun = known[known["reference"].str.len() >= n_signs]
        begun = begun.assign(begin=begun["reference"].str.slice(0, int(n_signs)))
        met = begun.merge(answers, left_on="begin", right_on="payer_number")
        found.append(met.assign(sureness=3))
    named = pd.concat(found)[["provider_adjustment_id", "claim_id", "sureness"]].drop_duplicates()
    best = named[
        named["sureness"] == named.groupby("provider_adjustment_id")["sureness"].transform("min")
    ]
    told = best.groupby(["provider_adjustment_id", "sureness"])["claim_id"].agg(["min", "size"])
    told = moved[["provider_adjustment_id"]].merge(
        told.reset_index(), "left", on="provider_adjustment_id"
    )
    kind = np.select(
        [told["size"] > 1, *(told["sureness"] == sureness for sureness in (1, 2, 3))],
        ["several_claims", "payer_control_number", "control_number",
         "begins_with_payer_control_number"],
        "none",
    )  # fmt: skip
    made = pd.DataFrame(
        {
            "provider_adjustment_id": told["provider_adjustment_id"],
            "claim_id": told["min"].where(told["size"] == 1),
            "match_kind": kind,
        }
    )
    return made.sort_values("provider_adjustment_id", ignore_index=True)
