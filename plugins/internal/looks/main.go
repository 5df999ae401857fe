// Command looks writes one page of HTML that shows what chat targets make of events: every
// event and every story of eventtest, in every look, drawn as a chat client shows it. What
// it draws are the requests in the golden files of the plugins.
//
//	go run ./plugins/internal/looks > looks.html
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	plugins := flag.String("plugins", "plugins", "directory of the plugins")
	cases := flag.String("cases", "", "cases to draw, with commas between them; all without")
	names := flag.String("targets", "", "targets to draw, with commas between them; all without")
	bare := flag.Bool("bare", false, "draw the messages alone, for a picture")
	flag.Parse()
	if err := run(*plugins, list(*cases), list(*names), *bare); err != nil {
		fmt.Fprintln(os.Stderr, "looks:", err)
		os.Exit(1)
	}
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

func run(plugins string, cases, names []string, bare bool) error {
	drawn := slices.DeleteFunc(targets(), func(t target) bool { return len(names) > 0 && !slices.Contains(names, t.Name) })
	p, err := newPage(plugins, drawn, cases...)
	if err != nil {
		return err
	}
	p.Bare = bare
	out := bufio.NewWriter(os.Stdout)
	return errors.Join(p.write(out), out.Flush())
}
