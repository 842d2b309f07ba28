package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const shownID = 13

// printJSON prints a CRI message as the real crictl does: camelCase names, empty fields too.
func printJSON(message proto.Message) error {
	packed, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(message)
	if err != nil {
		return fmt.Errorf("printing as JSON: %w", err)
	}
	return printIndented(packed)
}

// printNamed prints a CRI message as the one member of an object.
func printNamed(name string, message proto.Message) error {
	packed, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(message)
	if err != nil {
		return fmt.Errorf("printing as JSON: %w", err)
	}
	return printIndented([]byte(fmt.Sprintf("{%q: %s}", name, packed)))
}

// printIndented: protojson varies its white space on purpose; indenting again makes the output stable.
func printIndented(packed []byte) error {
	var indented bytes.Buffer
	if err := json.Indent(&indented, packed, "", "  "); err != nil {
		return fmt.Errorf("printing as JSON: %w", err)
	}
	fmt.Println(indented.String())
	return nil
}

// checkFormat refuses an output format that this stand-in does not have.
func checkFormat(format string, allowed ...string) error {
	for _, item := range allowed {
		if format == item {
			return nil
		}
	}
	return fmt.Errorf("output format %q is not one of: %s", format, strings.Join(allowed, ", "))
}

// table prints rows in aligned columns.
func table(header []string, rows [][]string) error {
	writer := tabwriter.NewWriter(os.Stdout, 20, 1, 3, ' ', 0)
	fmt.Fprintln(writer, strings.Join(header, "\t"))
	for _, row := range rows {
		fmt.Fprintln(writer, strings.Join(row, "\t"))
	}
	return writer.Flush()
}

func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	if len(id) > shownID {
		return id[:shownID]
	}
	return id
}

// age is how long ago a time in nanoseconds was.
func age(nanoseconds int64) string {
	return time.Since(time.Unix(0, nanoseconds)).Round(time.Second).String() + " ago"
}
