import pytest

from ops.history.sqltext import bare_names, first_word, output_format, split_insert, writes_a_file


@pytest.mark.parametrize(
    ("sql", "head", "form", "data"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01\x02", "INSERT INTO t", "Native", b"\x01\x02"),
        (b"insert into t (a, b) format CSV 1,2", "insert into t (a, b)", "CSV", b"1,2"),
        (b"INSERT INTO t FORMAT CSV\r\n1\n2", "INSERT INTO t", "CSV", b"1\n2"),
        (b"INSERT INTO t FORMAT TSV\n\n1", "INSERT INTO t", "TSV", b"\n1"),
        (b"INSERT INTO t FORMAT JSONEachRow", "INSERT INTO t", "JSONEachRow", b""),
        (b"INSERT INTO t FORMAT CSV;", "INSERT INTO t", "CSV", b""),
        (b"/* FORMAT x */ INSERT INTO `format` FORMAT CSV 1", None, "CSV", b"1"),
        (b"INSERT INTO t SETTINGS a='FORMAT b' FORMAT CSV 1", None, "CSV", b"1"),
        (b"INSERT INTO FUNCTION file('x', 'FORMAT y') FORMAT CSV 1", None, "CSV", b"1"),
        (b"-- a\n# b\nINSERT INTO t FORMAT CSV 1", None, "CSV", b"1"),
    ],
)
def test_an_inserts_data_begin_after_the_format_and_one_line_end(
    sql: bytes, head: str | None, form: str, data: bytes
) -> None:
    found = split_insert(sql)
    assert found is not None
    assert (found.form, sql[found.data_at :]) == (form, data)
    assert head is None or found.head == head


@pytest.mark.parametrize(
    "sql",
    [
        b"SELECT 1 FORMAT CSV",
        b"INSERT INTO t VALUES (1)",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
        b"INSERT INTO t",
        b"FORMAT",
        b"",
        b"'INSERT INTO t FORMAT CSV'",
    ],
)
def test_other_statements_have_no_data_of_their_own(sql: bytes) -> None:
    assert split_insert(sql) is None


def test_binary_data_are_never_read_as_sql() -> None:
    noise = bytes(range(256)) * 10
    found = split_insert(b"INSERT INTO t FORMAT Native\n" + noise)
    assert found is not None
    assert found.data_at == len(b"INSERT INTO t FORMAT Native\n")


@pytest.mark.parametrize(
    ("sql", "form"),
    [
        (b"SELECT 1", None),
        (b"SELECT 1 FORMAT JSON", ("JSON", 9)),
        (b"SELECT 'FORMAT x'", None),
        (b"SELECT format('{}', 1)", None),
        (b"SELECT * FROM (SELECT 1 FORMAT CSV)", None),
        (b"SELECT 1 FORMAT CSV SETTINGS max_threads = 1", ("CSV", 9)),
        (b"SELECT $$ FORMAT x $$ -- FORMAT y", None),
    ],
)
def test_the_output_format_is_the_statements_own(sql: bytes, form: tuple[str, int] | None) -> None:
    assert output_format(sql) == form


@pytest.mark.parametrize(
    ("sql", "writes"),
    [
        (b"SELECT 1 INTO OUTFILE '/tmp/x'", True),
        (b"SELECT 1 into\n/* */ outfile 'x'", True),
        (b"INSERT INTO t FROM INFILE 'x' FORMAT CSV", True),
        (b"SELECT 'INTO OUTFILE'", False),
        (b"SELECT 1", False),
        (b"SELECT a AS file FROM t", False),
    ],
)
def test_statements_that_touch_files_are_seen(sql: bytes, writes: bool) -> None:
    assert writes_a_file(sql) is writes


def test_names_are_words_and_quoted_names_but_no_strings_or_comments() -> None:
    assert bare_names(b"SELECT File, `a b`, \"C\" FROM t -- x\n/* y */ WHERE z = 'q'") == {
        *("select", "file", "a b", "c", "from", "t", "where", "z")
    }


def test_the_first_word_may_follow_comments_and_parentheses() -> None:
    assert first_word(b" /* x */ ((select 1))") == "SELECT"
    assert first_word(b"'x'") == ""
    assert first_word(b"") == ""
