"""The interpreter of the images' templates: what it prints, what it refuses, where it stops."""

import pytest

from sealcluster.render.gotemplate import MAX_TEMPLATE, TemplateError, render

ENV = {"BIN": "/opt/bin", "EMPTY": "", "VERSION": "v1.34.4", "MODE": "master,registry"}
DATA = {**ENV, "Env": ENV, "Values": ENV, "list": ["a", "b"], "none": None, "n": 3, "yes": True, "map": {"k": "v", "a": "z"}}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain } text {", "plain } text {"),
        ("{{ .BIN }}/x {{.Env.BIN}} {{ .Values.BIN }} {{ $.BIN }}", "/opt/bin/x /opt/bin /opt/bin /opt/bin"),
        ("{{ .NOPE }} {{ .NOPE.deeper }} {{ .none }}", "<no value> <no value> <no value>"),
        ('{{ default "/usr/bin" .NOPE }} {{ .EMPTY | default "x" }} {{ default "x" .BIN }}', "/usr/bin x /opt/bin"),
        ("{{ if .EMPTY }}a{{ else if .BIN }}b{{ else }}c{{ end }}", "b"),
        ("{{ with .BIN }}{{ . }}{{ else }}none{{ end }}{{ with .NOPE }}x{{ else }} none{{ end }}", "/opt/bin none"),
        ("{{ range .list }}<{{ . }}>{{ end }}{{ range .NOPE }}x{{ else }}-{{ end }}", "<a><b>-"),
        ("{{ range $i, $e := .list }}{{ $i }}{{ $e }}{{ $.BIN }} {{ end }}", "0a/opt/bin 1b/opt/bin "),
        ("{{ range $k, $v := .map }}{{ $k }}={{ $v }};{{ end }}", "a=z;k=v;"),
        ('{{ $x := "a" }}{{ if true }}{{ $x = "b" }}{{ end }}{{ $x }}', "b"),
        ("a  {{- /* gone */ -}}  b", "ab"),
        ("a \n {{- .n -}} \n b", "a3b"),
        ("{{/* gone */}}x", "x"),
        ('{{ `raw\\n` }}{{ "t\\tq\\"" }}', 'raw\\nt\tq"'),
        ("{{ -3 }} {{ 0x10 }} {{ true }}", "-3 16 true"),
        ('{{ (index .map "k") | upper | printf "%s-%03d" | quote }}', None),
        ('{{ printf "%s-%03d|%-4s|%4s|%q|%v%%" "a" .n "l" "r" "q\\"" .list }}', 'a-003|l   |   r|"q\\""|[a b]%'),
        ('{{ if or (not .VERSION) (eq .VERSION "") (not (semverCompare "^1.27.0" .VERSION)) }}--old{{ end }}', ""),
        ('{{ if and (.MODE) (contains "master" .MODE) }}server{{ else }}agent{{ end }}', "server"),
        ('{{ if and (.NOPE) (contains "master" .NOPE) }}server{{ else }}agent{{ end }}', "agent"),
        ('{{ ternary "y" "n" (hasPrefix "v" .VERSION) }}{{ hasSuffix ".4" .VERSION }}', "ytrue"),
        ('{{ trimPrefix "v" .VERSION }} {{ trimSuffix ".4" .VERSION }} {{ trim "  x " }}', "1.34.4 v1.34 x"),
        ('{{ replace "/" "-" .BIN }} {{ lower "AB" }} {{ squote .BIN }}', "-opt-bin ab '/opt/bin'"),
        ('{{ indent 2 "a\\nb" }}{{ nindent 1 "c" }}', "  a\n  b\n c"),
        ('{{ (split "," .MODE)._0 }} {{ join "+" (splitList "," .MODE) }}', "master master+registry"),
        ('{{ b64enc "hi" }} {{ b64dec "aGk=" }} {{ int "7" }} {{ atoi "x" }} {{ toString 5 }}', "aGk= hi 7 0 5"),
        ("{{ coalesce .NOPE .EMPTY .BIN }} {{ empty .EMPTY }} {{ len .list }} {{ index .list 1 }}", "/opt/bin true 2 b"),
        ("{{ if lt 1 2 }}{{ if ge .n 3 }}ok{{ end }}{{ end }}{{ ne .BIN .EMPTY }}", "oktrue"),
        ('{{ range .list }}{{ if eq . "a" }}{{ continue }}{{ end }}{{ . }}{{ break }}{{ end }}', "b"),
    ],
)
def test_prints_what_go_prints(template: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(TemplateError):
            render(template, DATA, name="etc/x.tmpl")
    else:
        assert render(template, DATA, name="etc/x.tmpl") == expected


@pytest.mark.parametrize(
    ("template", "line", "problem"),
    [
        ("a\n{{ .x", 2, "unclosed action"),
        ("\n\n{{ nosuch 1 }}", 3, "function 'nosuch' is not supported"),
        ("{{ if .x }}\n\n", 1, "never closed"),
        ("{{ end }}", 1, "unexpected {{end}}"),
        ("{{ else }}", 1, "unexpected {{else}}"),
        ("{{ $x }}", 1, "undefined variable '$x'"),
        ("{{ if true }}{{ $x := 1 }}{{ end }}\n{{ $x }}", 2, "undefined variable"),
        ('{{ template "x" }}', 1, "'template' is not supported"),
        ('{{ define "x" }}{{ end }}', 1, "'define' is not supported"),
        ('{{ env "HOME" }}', 1, "function 'env' is not supported"),
        ("x\n{{ contains .NOPE .BIN }}", 2, "argument 1 of contains must be a string, not nil (a missing key? use default)"),
        ("{{ .BIN.x }}", 1, "can't evaluate field 'x' in a string"),
        ('{{ eq 1 "1" }}', 1, "incompatible types"),
        ("{{ default }}", 1, "wrong number of arguments"),
        ("{{ not 1 2 }}", 1, "wrong number of arguments"),
        ("{{ 1.5 }}", 1, "unsupported number"),
        ("{{ 'a' }}", 1, "unexpected"),
        ('{{ "a }}', 1, "unterminated string"),
        ("{{ (.BIN }}", 1, "unexpected '}}'"),
        ("{{ . | 3 }}", 1, "non executable command"),
        ("{{ nil }}", 1, "nil is not a command"),
        ("{{ index .list 9 }}", 1, "index out of range"),
        ('{{ semverCompare "nonsense" "1.2.3" }}', 1, "improper version constraint"),
        ('{{ semverCompare ">1" "nonsense" }}', 1, "not a semantic version"),
        ('{{ b64dec "***" }}', 1, "not base64"),
        ("{{ break }}", 1, "break outside of range"),
        ("{{/* a", 1, "unclosed comment"),
        ("{{ range .n }}{{ end }}", 1, "range can't iterate over a int"),
        ("{{ and false ($x := 1) }}{{ $x }}", 1, "undefined variable"),
    ],
)
def test_refuses_what_it_does_not_know_and_names_the_line(template: str, line: int, problem: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template, DATA, name="etc/x.tmpl")
    assert (caught.value.name, caught.value.line) == ("etc/x.tmpl", line)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"rendering etc/x.tmpl:{line}: ")


def test_errors_do_not_show_values() -> None:
    with pytest.raises(TemplateError) as caught:
        render('{{ semverCompare .password "1" }}{{ printf "%d" .password }}', {"password": "s3cret"}, name="x")
    assert "s3cret" not in str(caught.value)


_DOUBLING = '{{ $x := "aaaaaaaaaaaaaaaa" }}' + "{{ $x = printf `%s%s` $x $x }}" * 40


@pytest.mark.parametrize(
    "template",
    [
        _DOUBLING,
        "{{ $x := replace `` .big .big }}{{ $y := replace `` $x $x }}",
        "{{ indent 999999999 `x` }}",
        "{{ printf `%999999999d` 1 }}",
        "{{ printf `%9999999999999999999999d` 1 }}",
        "{{ range .list }}{{ range $.list }}{{ range $.list }}x{{ end }}{{ end }}{{ end }}",
        "{{ range .list }}{{ $.big }}{{ end }}" * 50,
        "{{ $x := splitList `` .big }}",
        "{{ join .big .list }}",
        "{{ if 1 }}" * 2_000 + "{{ end }}" * 2_000,
        "{{ " + "(" * 2_000 + "1" + ")" * 2_000 + " }}",
        "x" * (MAX_TEMPLATE + 1),
    ],
    ids=lambda template: template[:30],
)
def test_is_bounded(template: str) -> None:
    data = {"big": "ab" * 20_000, "list": ["x"] * 2_000}
    with pytest.raises(TemplateError):
        render(template, data, name="bomb.tmpl")


def test_unicode_that_cannot_be_encoded_is_an_error() -> None:
    with pytest.raises(TemplateError, match="not Unicode"):
        render("{{ len .x }}", {"x": "\ud800"}, name="x")


def test_data_of_other_types_is_refused() -> None:
    with pytest.raises(TemplateError, match="unsupported type"):
        render("{{ .x }}", {"x": object()}, name="x")
    with pytest.raises(TemplateError, match="unsupported type"):
        render("{{ .x }}", {"x": 1.5}, name="x")


def test_a_genuine_kubelet_drop_in() -> None:
    text = (
        'Environment="ARGS=a=b \\\n'
        '  {{ if or (not .SEALOS_SYS_KUBE_VERSION) (eq .SEALOS_SYS_KUBE_VERSION "")'
        ' (not (semverCompare "^1.27.0" .SEALOS_SYS_KUBE_VERSION)) }}--container-runtime=remote{{ end }} \\\n'
        '  --endpoint=unix://{{ .SEALOS_SYS_CRI_ENDPOINT }}"\nExecStart={{ default "/usr/bin" .BIN_DIR }}/kubelet $ARGS\n'
    )
    base = {"SEALOS_SYS_CRI_ENDPOINT": "/run/x.sock"}
    expected = 'Environment="ARGS=a=b \\\n  {} \\\n  --endpoint=unix:///run/x.sock"\nExecStart=/usr/bin/kubelet $ARGS\n'
    for version, flag in (("v1.23.8", "--container-runtime=remote"), ("v1.34.4", ""), (None, "--container-runtime=remote")):
        data = base if version is None else {**base, "SEALOS_SYS_KUBE_VERSION": version}
        assert render(text, data, name="10-kubeadm.conf.tmpl") == expected.format(flag)
