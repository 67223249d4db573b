"""Codes of vehicle types: deprecated ones never, lengths by regulation, the coarse class where the form is not sure."""

import numpy as np
import pytest

from traffic.types import ObjectClass
from traffic.vehicle_codes import VEHICLE_TYPE_NAMES, VehicleType
from traffic.vehicle_types import FORMS, Form, coarse_type, decide_type, form_shares


def sure(form: Form, share: float = 0.97) -> np.ndarray:
    scores = np.full(FORMS, (1 - share) / (FORMS - 1))
    scores[form] = share
    return scores


def decided(form: Form, object_class: ObjectClass, length_m: float | None = None) -> VehicleType:
    return decide_type(form_shares([sure(form)], object_class, length_m), object_class, length_m)[0]


def test_every_code_but_the_deprecated_one_has_its_name() -> None:
    assert 4 not in [int(code) for code in VehicleType]
    assert sorted(int(code) for code in VEHICLE_TYPE_NAMES) == [0, 1, 2, 3, *range(5, 29)]
    assert VEHICLE_TYPE_NAMES[VehicleType.TIPPER] == "渣土车"
    assert VEHICLE_TYPE_NAMES[VehicleType.SPRINKLER] == "洒水车"


@pytest.mark.parametrize("object_class", [ObjectClass.CAR, ObjectClass.BUS, ObjectClass.TRUCK])
def test_no_form_and_length_gives_a_code_outside_the_table(object_class: ObjectClass) -> None:
    for form in Form:
        for length in (None, 2.0, 4.5, 5.9, 6.0, 7.9, 8.0, 10.9, 11.0, 17.0):
            assert int(decided(form, object_class, length)) in {1, 2, 3, *range(5, 29)}


@pytest.mark.parametrize(
    ("form", "object_class", "length_m", "code"),
    [
        (Form.CAR, ObjectClass.CAR, None, VehicleType.CAR),
        (Form.SUV, ObjectClass.CAR, 4.7, VehicleType.SUV),
        (Form.VAN, ObjectClass.CAR, 5.2, VehicleType.SMALL_COACH),
        (Form.VAN, ObjectClass.BUS, 6.4, VehicleType.MEDIUM_COACH),
        (Form.BUS, ObjectClass.BUS, None, VehicleType.BUS),
        (Form.BUS, ObjectClass.BUS, 7.0, VehicleType.MEDIUM_COACH),
        (Form.BUS, ObjectClass.BUS, 5.5, VehicleType.SMALL_COACH),
        (Form.TRUCK, ObjectClass.TRUCK, 5.9, VehicleType.MINI_TRUCK),
        (Form.TRUCK, ObjectClass.TRUCK, 7.0, VehicleType.MEDIUM_TRUCK),
        (Form.TRUCK, ObjectClass.TRUCK, 9.0, VehicleType.LARGE_TRUCK),
        (Form.TRUCK, ObjectClass.TRUCK, 12.0, VehicleType.HEAVY_TRUCK),
        (Form.TRAILER, ObjectClass.TRUCK, 16.0, VehicleType.TRAILER),
        (Form.MIXER, ObjectClass.TRUCK, None, VehicleType.MIXER),
        (Form.TANKER, ObjectClass.TRUCK, 9.0, VehicleType.TANKER),
    ],
)
def test_forms_and_lengths_to_codes(form: Form, object_class: ObjectClass, length_m: float | None, code: VehicleType) -> None:
    assert decided(form, object_class, length_m) is code


def test_an_unsure_form_gives_the_coarse_class() -> None:
    flat = np.full(FORMS, 1 / FORMS)
    for object_class, code in ((ObjectClass.CAR, VehicleType.CAR), (ObjectClass.BUS, VehicleType.BUS)):
        assert decide_type(flat, object_class)[0] is code
    assert decide_type(flat, ObjectClass.TRUCK)[0] is VehicleType.LARGE_TRUCK
    assert decide_type(flat, ObjectClass.TRUCK, 5.0)[0] is VehicleType.MINI_TRUCK


@pytest.mark.parametrize("object_class", [ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE, ObjectClass.PERSON])
def test_two_wheelers_and_people_have_no_code(object_class: ObjectClass) -> None:
    assert decide_type(sure(Form.CAR), object_class) == (VehicleType.UNKNOWN, 0.0)


def test_one_bad_crop_does_not_outvote_two_good_ones() -> None:
    shares = form_shares([sure(Form.VAN), sure(Form.VAN), sure(Form.TRUCK, 0.6)], ObjectClass.CAR)
    assert Form(int(shares.argmax())) is Form.VAN
    assert shares.sum() == pytest.approx(1.0)


def test_a_length_rules_forms_out() -> None:
    torn = np.full(FORMS, 0.01)
    torn[[Form.CAR, Form.TRUCK]] = 0.5, 0.4
    assert Form(int(form_shares([torn], ObjectClass.TRUCK, 9.0).argmax())) is Form.TRUCK
    assert Form(int(form_shares([torn], ObjectClass.CAR, 4.4).argmax())) is Form.CAR


def test_a_vehicle_without_a_picture_has_the_type_of_its_class() -> None:
    assert coarse_type(ObjectClass.CAR) is VehicleType.CAR
    assert coarse_type(ObjectClass.TRUCK, 7.0) is VehicleType.MEDIUM_TRUCK
    assert coarse_type(ObjectClass.MOTORCYCLE) is VehicleType.UNKNOWN


def test_an_suv_that_looks_much_like_a_car_is_an_suv_and_a_likely_car_is_none() -> None:
    shares = np.zeros(FORMS)
    shares[Form.CAR], shares[Form.SUV] = 0.55, 0.45
    assert decide_type(shares, ObjectClass.CAR)[0] is VehicleType.SUV
    shares[Form.CAR], shares[Form.SUV] = 0.8, 0.2
    assert decide_type(shares, ObjectClass.CAR)[0] is VehicleType.CAR
    shares[Form.CAR], shares[Form.SUV], shares[Form.PICKUP] = 0.1, 0.35, 0.55
    assert decide_type(shares, ObjectClass.TRUCK)[0] is not VehicleType.SUV
