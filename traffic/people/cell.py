"""One second of one region or count line as integer sums that merge in any order with the same result."""

from dataclasses import dataclass

LINE_KEY = 1 << 32  # count lines have keys of their own: their codes may equal regions'


@dataclass(frozen=True, kw_only=True, slots=True)
class PeopleCell:
    """What was seen in the second [second, second + 1) of video time.

    Attributes:
        code: a region's code, or a count line's plus LINE_KEY.
        observed_us: observed time. person_us: integral of the number of people in the region over it; 0 for lines.
        people_in, people_out: crossings. most: largest number of people in the region at once.
        area_dm2: of the region in 0.01 m²; -1 when not known.
    """

    code: int
    second: int
    observed_us: int = 0
    person_us: int = 0
    people_in: int = 0
    people_out: int = 0
    most: int = 0
    area_dm2: int = -1

    @property
    def observed(self) -> bool:
        """Whether anything was seen of it."""
        return self.observed_us > 0

    @property
    def is_line(self) -> bool:
        """Whether it is of a count line."""
        return self.code >= LINE_KEY

    @property
    def region_code(self) -> int:
        """regionCode on the wire."""
        return self.code % LINE_KEY

    def merge(self, other: "PeopleCell") -> "PeopleCell":
        """Both together; ``second`` becomes the earlier one. Commutative and associative."""
        return PeopleCell(
            code=self.code,
            second=min(self.second, other.second),
            observed_us=self.observed_us + other.observed_us,
            person_us=self.person_us + other.person_us,
            people_in=self.people_in + other.people_in,
            people_out=self.people_out + other.people_out,
            most=max(self.most, other.most),
            area_dm2=max(self.area_dm2, other.area_dm2),
        )

    def to_list(self) -> list[object]:
        """Plain values for snapshots."""
        return [
            self.code, self.second, self.observed_us, self.person_us, self.people_in, self.people_out, self.most, self.area_dm2,
        ]  # fmt: skip

    @staticmethod
    def from_list(values: list[object]) -> "PeopleCell":
        """The inverse of ``to_list``."""
        code, second, observed, person, people_in, people_out, most, area = (int(str(value)) for value in values)
        return PeopleCell(
            code=code, second=second, observed_us=observed, person_us=person, people_in=people_in, people_out=people_out,
            most=most, area_dm2=area,
        )  # fmt: skip
