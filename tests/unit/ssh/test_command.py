"""The one line that a login shell gets: quoting, marks, sudo's password."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcluster.core.ports import Credentials
from sealcluster.ssh.command import Become, compose, quote


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_quoted_word_is_one_word_with_the_same_characters(value):
    done = subprocess.run(["sh", "-c", f"printf '%s' {quote(value)}"], capture_output=True, check=True)
    assert done.stdout.decode() == value


def test_nul_cannot_be_quoted():
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b")


def shell(command, stdin=b""):
    """Run as sshd would: the login shell gets the line."""
    return subprocess.run(["sh", "-c", command.line], input=stdin, capture_output=True, check=False)


def test_output_begins_after_the_mark():
    command = compose("echo hello; exit 3", Become())
    done = shell(command)
    assert done.stdout == b"\n" + command.mark + b"\nhello\n"
    assert done.returncode == 3


def test_scripts_get_a_fixed_environment():
    done = shell(compose('echo "$PATH $LC_ALL $(umask)"', Become(), path="/only/here:/bin:/usr/bin"))
    assert done.stdout.split(b"\n")[2] == b"/only/here:/bin:/usr/bin C 0077"


def test_standard_input_is_left_to_the_data():
    assert shell(compose("cat", Become()), b"payload").stdout.endswith(b"\npayload")


def test_the_password_is_no_part_of_the_command():
    command = compose("true", Become(True, "hunter22"))
    assert "hunter22" not in repr(command)
    assert f"sudo -S -p '{command.prompt.decode()}' -- " in command.line


def test_the_password_does_not_show():
    assert "hunter22" not in repr(Become(True, "hunter22"))


def test_root_needs_no_sudo():
    assert Become.of(Credentials(user="root", password="x")) == Become()


def test_a_user_becomes_root_with_the_login_password_or_its_own():
    assert Become.of(Credentials(user="ops", password="x")) == Become(True, "x")
    assert Become.of(Credentials(user="ops", password="x", become_password="y")) == Become(True, "y")
    assert Become.of(Credentials(user="ops", private_key="k")) == Become(True, None)
    assert Become.of(Credentials(user="ops", become=False)) == Become()


def test_without_a_password_sudo_never_asks():
    command = compose("true", Become(True))
    assert "sudo -n --" in command.line
    assert command.prompt == b""


def test_marks_differ_every_time():
    assert compose("true", Become()).mark != compose("true", Become()).mark
