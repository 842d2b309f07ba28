// The judges that tests/labkit imitates, themselves: kstatus as Flux and Helm use it, and Lua as Argo CD runs it.
// One request per line on stdin, one answer per line on stdout.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type request struct {
	Object map[string]any `json:"object"`
	// Script is Lua source; empty asks for the verdict of kstatus.
	Script string `json:"script"`
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	requests := json.NewDecoder(lines)
	for requests.More() {
		var asked request
		if err := requests.Decode(&asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		var answer any
		if asked.Script == "" {
			answer = kstatus(asked.Object)
		} else {
			answer = run(asked.Script, asked.Object)
		}
		if err := answers.Encode(answer); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func kstatus(object map[string]any) string {
	text, err := json.Marshal(object)
	if err != nil {
		return err.Error()
	}
	read := &unstructured.Unstructured{}
	if err := read.UnmarshalJSON(text); err != nil { // numbers become integers only on this way
		return err.Error()
	}
	result, err := status.Compute(read)
	if err != nil {
		return "Error"
	}
	return result.Status.String()
}

func run(script string, object map[string]any) any {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), NRet: 0, Protect: true}, lua.LString(name)); err != nil {
			return err.Error()
		}
	}
	// the time stands still, so that answers can be compared
	state.PreloadModule(lua.OsLibName, func(s *lua.LState) int {
		module := s.NewTable()
		module.RawSetString("date", s.NewFunction(func(s *lua.LState) int {
			s.Push(lua.LString("now in " + s.CheckString(1)))
			return 1
		}))
		s.Push(module)
		return 1
	})
	state.SetGlobal("obj", luajson.DecodeValue(state, object))
	if err := state.DoString(script); err != nil {
		return err.Error()
	}
	text, err := luajson.Encode(state.Get(-1))
	if err != nil {
		return err.Error()
	}
	return json.RawMessage(text)
}
