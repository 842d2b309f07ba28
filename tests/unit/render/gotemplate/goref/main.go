// Renders templates with Go's own text/template so that the interpreter can be held against it.
// Reads one JSON object a line from stdin, {"template": …, "data": …}; answers {"out": …} or {"err": …}.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"text/template"
)

func isEmpty(value any) bool {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return true
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String:
		return v.Len() == 0
	}
	return v.IsZero()
}

func show(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	return fmt.Sprint(value)
}

func each(values []any, format string) string {
	out := []string{}
	for _, value := range values {
		if value != nil {
			out = append(out, fmt.Sprintf(format, show(value)))
		}
	}
	return strings.Join(out, " ")
}

func indent(n int, s string) string {
	pad := strings.Repeat(" ", n)
	return pad + strings.ReplaceAll(s, "\n", "\n"+pad)
}

var functions = template.FuncMap{
	"default": func(fallback any, given ...any) any {
		if len(given) == 0 || isEmpty(given[0]) {
			return fallback
		}
		return given[0]
	},
	"empty": isEmpty,
	"coalesce": func(values ...any) any {
		for _, value := range values {
			if !isEmpty(value) {
				return value
			}
		}
		return nil
	},
	"ternary": func(yes, no any, choice bool) any {
		if choice {
			return yes
		}
		return no
	},
	"contains":   func(part, s string) bool { return strings.Contains(s, part) },
	"hasPrefix":  func(part, s string) bool { return strings.HasPrefix(s, part) },
	"hasSuffix":  func(part, s string) bool { return strings.HasSuffix(s, part) },
	"trim":       strings.TrimSpace,
	"trimPrefix": func(part, s string) string { return strings.TrimPrefix(s, part) },
	"trimSuffix": func(part, s string) string { return strings.TrimSuffix(s, part) },
	"upper":      strings.ToUpper,
	"lower":      strings.ToLower,
	"replace":    func(old, new, s string) string { return strings.ReplaceAll(s, old, new) },
	"quote":      func(values ...any) string { return each(values, "%q") },
	"squote":     func(values ...any) string { return each(values, "'%s'") },
	"indent":     indent,
	"nindent":    func(n int, s string) string { return "\n" + indent(n, s) },
	"toString":   show,
	"atoi":       func(s string) int { n, _ := strconv.Atoi(s); return n },
	"int": func(value any) int {
		switch v := value.(type) {
		case int:
			return v
		case bool:
			if v {
				return 1
			}
		case string:
			n, _ := strconv.Atoi(v)
			return n
		}
		return 0
	},
	"splitList": func(sep, s string) []any {
		out := []any{}
		for _, piece := range strings.Split(s, sep) {
			out = append(out, piece)
		}
		return out
	},
	"split": func(sep, s string) map[string]any {
		out := map[string]any{}
		for i, piece := range strings.Split(s, sep) {
			out["_"+strconv.Itoa(i)] = piece
		}
		return out
	},
	"join": func(sep string, values any) string {
		list, ok := values.([]any)
		if !ok {
			list = []any{values}
		}
		out := []string{}
		for _, value := range list {
			if value != nil {
				out = append(out, show(value))
			}
		}
		return strings.Join(out, sep)
	},
	"b64enc": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"b64dec": func(s string) (string, error) {
		out, err := base64.StdEncoding.DecodeString(s)
		return string(out), err
	},
}

// whole turns JSON's numbers into ints, which is what the interpreter's data hold.
func whole(value any) any {
	switch v := value.(type) {
	case json.Number:
		n, err := strconv.Atoi(v.String())
		if err != nil {
			panic(err)
		}
		return n
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	}
	return value
}

func answer(line []byte) map[string]string {
	var request struct {
		Template string
		Data     map[string]any
	}
	decoder := json.NewDecoder(strings.NewReader(string(line)))
	decoder.UseNumber()
	if err := decoder.Decode(&request); err != nil {
		panic(err)
	}
	whole(request.Data)
	parsed, err := template.New("t").Funcs(functions).Parse(request.Template)
	if err != nil {
		return map[string]string{"err": err.Error()}
	}
	var out strings.Builder
	if err := parsed.Execute(&out, request.Data); err != nil {
		return map[string]string{"err": err.Error()}
	}
	return map[string]string{"out": out.String()}
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		if err := output.Encode(answer(input.Bytes())); err != nil {
			panic(err)
		}
	}
}
