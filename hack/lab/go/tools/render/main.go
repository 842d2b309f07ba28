// Command render renders `*.tmpl` files as installers of sealos images do: Go's text/template with
// sprig, the data being the environment (`.KEY`, `.Env.KEY`, `.Values.KEY`), missing keys giving `<no value>`.
//
//	K=V render [--clear] DIR...
//
// Each FILE.tmpl below the folders becomes FILE with the template's mode; --clear deletes the templates.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

func main() {
	log.SetFlags(0)
	clearTemplates := flag.Bool("clear", false, "delete the templates afterwards")
	flag.Parse()
	data := environment()
	for _, folder := range flag.Args() {
		if err := renderBelow(folder, data, *clearTemplates); err != nil {
			log.Fatal(err)
		}
	}
}

func environment() map[string]any {
	data, nested := map[string]any{}, map[string]any{}
	for _, pair := range os.Environ() {
		key, value, _ := strings.Cut(pair, "=")
		data[key], nested[key] = value, value
	}
	data["Env"], data["Values"] = nested, nested
	return data
}

func renderBelow(folder string, data map[string]any, clearTemplates bool) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) && path == folder {
			return fs.SkipAll
		}
		if err != nil {
			return err
		}
		target, isTemplate := strings.CutSuffix(path, ".tmpl")
		if !isTemplate || entry.IsDir() {
			return nil
		}
		if err := renderFile(path, target, data); err != nil {
			return fmt.Errorf("rendering %s: %w", path, err)
		}
		if clearTemplates {
			return os.Remove(path)
		}
		return nil
	})
}

func renderFile(path, target string, data map[string]any) error {
	source, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	mode, err := os.Stat(path)
	if err != nil {
		return err
	}
	parsed, err := template.New(filepath.Base(path)).Funcs(sprig.TxtFuncMap()).Parse(string(source))
	if err != nil {
		return err
	}
	var output bytes.Buffer
	if err := parsed.Execute(&output, data); err != nil {
		return err
	}
	return os.WriteFile(target, output.Bytes(), mode.Mode().Perm())
}
