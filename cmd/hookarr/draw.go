package main

import (
	"io"
	"strings"

	"github.com/hookarr/hookarr/core/admin/picture"
)

const (
	// usualWidth is of what is no terminal, and readable the widest that a text is drawn, in
	// cells.
	usualWidth = 80
	readable   = 100
	// leastWidth is drawn whatever the terminal has room for.
	leastWidth = 24
	// besides is how many fields stand beside each other, as in a chat on a large screen.
	besides = 3
)

// drawn is a line of a drawing.
type drawn struct {
	text   string
	strong bool
}

// draw prints a picture with a rule at its left, which has its colour where the terminal
// shows some. There is none at its right: terminals disagree about the widths of emoji.
func (c *cli) draw(p picture.Picture) error {
	width := usualWidth
	if c.width > 0 {
		width = max(leastWidth, min(c.width, readable))
	}
	name, code := "", ""
	if p.Color != nil {
		name, code = colorOf(*p.Color)
	}
	rule := strings.Repeat("─", width-1)
	top := rule
	if name != "" && !c.colors {
		top = "─ " + name + " " + rule[:len("─")*(width-4-len(name))]
	}
	if err := c.ruled("┌"+top, code, drawn{}); err != nil {
		return err
	}
	for _, line := range linesOf(p.Parts, width-2) {
		if err := c.ruled("│", code, line); err != nil {
			return err
		}
	}
	return c.ruled("└"+rule, code, drawn{})
}

// ruled prints a line behind its rule. What acts on the terminal is the program's alone: the
// text goes through out.
func (c *cli) ruled(rule, code string, line drawn) error {
	text := line.text
	if text != "" {
		text = " " + text
	}
	v, ok := c.out.(visible)
	if !c.colors || !ok {
		return c.say("%s", rule+text)
	}
	if code != "" {
		rule = code + rule + plainText
	}
	if _, err := io.WriteString(v.Writer, rule); err != nil {
		return err
	}
	if !line.strong {
		return c.say("%s", text)
	}
	if _, err := io.WriteString(v.Writer, boldText); err != nil {
		return err
	}
	if _, err := io.WriteString(c.out, text); err != nil {
		return err
	}
	_, err := io.WriteString(v.Writer, plainText+"\n")
	return err
}

// What ECMA-48 has for a terminal's colours and bold.
const (
	plainText = "\x1b[0m"
	boldText  = "\x1b[1m"
)

// colorOf is what a colour 0xRRGGBB is called, and how a terminal of eight begins it.
func colorOf(rgb int) (name, code string) {
	r, g, b := rgb>>16&0xff, rgb>>8&0xff, rgb&0xff
	most, least := max(r, g, b), min(r, g, b)
	spread := most - least
	if spread < 32 {
		return "grey", "\x1b[90m"
	}
	var hue int // degrees
	switch most {
	case r:
		hue = (60*(g-b)/spread + 360) % 360
	case g:
		hue = 60*(b-r)/spread + 120
	default:
		hue = 60*(r-g)/spread + 240
	}
	switch {
	case hue < 15 || hue >= 340:
		return "red", "\x1b[31m"
	case hue < 48:
		return "orange", "\x1b[33m"
	case hue < 70:
		return "yellow", "\x1b[33m"
	case hue < 165:
		return "green", "\x1b[32m"
	case hue < 195:
		return "cyan", "\x1b[36m"
	case hue < 260:
		return "blue", "\x1b[34m"
	default:
		return "purple", "\x1b[35m"
	}
}

// linesOf are the lines of parts, with an empty one around fields and paragraphs.
func linesOf(parts []picture.Part, width int) []drawn {
	var lines []drawn
	apart := false
	for _, p := range parts {
		var of []drawn
		switch {
		case p.Fields != nil:
			of = fieldLines(p.Fields, width)
		case p.Buttons != nil:
			for _, b := range p.Buttons {
				for _, l := range wrapped(strings.TrimSpace("button: "+b.Text+" "+b.URL), width) {
					of = append(of, drawn{text: l})
				}
			}
		case p.Strong != "":
			for _, l := range wrapped(p.Strong, width) {
				of = append(of, drawn{l, true})
			}
		default:
			text := p.Text
			if p.Label != "" {
				text = p.Label + ": " + text
			}
			for _, l := range wrapped(text, width) {
				of = append(of, drawn{text: l})
			}
		}
		several := p.Fields != nil || strings.Contains(p.Text, "\n")
		if len(lines) > 0 && (several || apart) {
			lines = append(lines, drawn{})
		}
		lines, apart = append(lines, of...), several
	}
	return lines
}

// fieldLines are fields in columns: the names, and the values below them.
func fieldLines(fields []picture.Field, width int) []drawn {
	var lines []drawn
	columns := min(len(fields), besides)
	for columns > 1 && (width-gap*(columns-1))/columns < narrow {
		columns--
	}
	column := (width - gap*(columns-1)) / columns
	for len(fields) > 0 {
		row := fields[:min(columns, len(fields))]
		fields = fields[len(row):]
		if len(lines) > 0 {
			lines = append(lines, drawn{})
		}
		names, values := make([][]string, len(row)), make([][]string, len(row))
		for i, f := range row {
			names[i], values[i] = wrapped(f.Name, column), wrapped(f.Value, column)
		}
		lines = append(lines, beside(names, column, true)...)
		lines = append(lines, beside(values, column, false)...)
	}
	return lines
}

// beside puts texts of several lines beside each other.
func beside(texts [][]string, column int, strong bool) []drawn {
	height := 0
	for _, t := range texts {
		height = max(height, len(t))
	}
	lines := make([]drawn, height)
	for i := range lines {
		var b strings.Builder
		for _, t := range texts {
			cell := ""
			if i < len(t) {
				cell = t[i]
			}
			b.WriteString(cell)
			b.WriteString(strings.Repeat(" ", max(0, column-cells(cell))+gap))
		}
		lines[i] = drawn{strings.TrimRight(b.String(), " "), strong}
	}
	return lines
}

// wrapped breaks a text of strangers into lines of at most so many cells, between words. A
// word that is longer is cut.
func wrapped(text string, width int) []string {
	var lines []string
	for paragraph := range strings.Lines(cleanLines(text)) {
		line := ""
		for word := range strings.FieldsSeq(paragraph) {
			word = cut(word, width)
			switch {
			case line == "":
				line = word
			case cells(line)+1+cells(word) <= width:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
		}
		lines = append(lines, line)
	}
	return lines
}
