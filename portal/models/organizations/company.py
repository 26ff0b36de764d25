from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from portal.company_names import CompanyName, read_company

COMPANY_COLUMNS = tuple(f"company_{field}" for field in CompanyName._fields)


class NamesCompany:
    """A row with the name of a company, and beside it what the name says, to find others that say
    the same. Whoever writes the name writes this too. When `read_company` comes to read names
    otherwise, a migration reads those that are there again."""

    company_words: Mapped[str] = mapped_column(server_default="")
    company_plain: Mapped[str] = mapped_column(server_default="")
    company_full: Mapped[str] = mapped_column(server_default="")
    company_forms: Mapped[str] = mapped_column(server_default="")

    def read_name(self, name: str) -> None:
        for column, value in company_columns(name).items():
            setattr(self, column, value)


def company_columns(name: str) -> dict[str, str]:
    """What a name says, by column."""
    return dict(zip(COMPANY_COLUMNS, read_company(name), strict=True))
