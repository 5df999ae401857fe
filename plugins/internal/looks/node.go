package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// node is a part of a message as it is drawn. One without a tag is text.
type node struct {
	Tag   string
	Class string
	Text  string
	// URL is where a link leads to, or where a picture is. The page asks neither for
	// anything: it shows them.
	URL string
	// Color is a CSS colour.
	Color string
	Kids  []node
}

// The tags that the page knows.
const (
	tagBlock   = "div"
	tagBold    = "b"
	tagItalic  = "i"
	tagCode    = "code"
	tagQuote   = "blockquote"
	tagLink    = "a"
	tagPicture = "img"
	tagBreak   = "br"
	tagTable   = "table"
	tagRow     = "tr"
	tagCell    = "td"
	tagList    = "ul"
	tagItem    = "li"
)

func text(s string) node { return node{Text: s} }

// block is a part of the page with a class of the style sheet.
func block(class string, kids ...node) node { return node{Tag: tagBlock, Class: class, Kids: kids} }

func of(tag string, kids ...node) node { return node{Tag: tag, Kids: kids} }

// link is text that leads somewhere, or text alone.
func link(url string, kids ...node) node {
	if url == "" {
		return node{Tag: tagBlock, Class: "inline", Kids: kids}
	}
	return node{Tag: tagLink, URL: url, Kids: kids}
}

func picture(class, url string) node { return node{Tag: tagPicture, Class: class, URL: url} }

// lines is text with its line breaks.
func lines(s string) []node {
	var all []node
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			all = append(all, of(tagBreak))
		}
		all = append(all, text(line))
	}
	return all
}

// fromHTML reads the HTML of a message that a plugin has written. An element that the page
// does not know is an error: it would be drawn wrong.
func fromHTML(source string) ([]node, error) {
	d := xml.NewDecoder(strings.NewReader(source))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	root := node{}
	open := []*node{&root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root.Kids, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read HTML: %w", err)
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n, err := element(t)
			if err != nil {
				return nil, err
			}
			top.Kids = append(top.Kids, n)
			open = append(open, &top.Kids[len(top.Kids)-1])
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			top.Kids = append(top.Kids, text(string(t)))
		}
	}
}

func element(t xml.StartElement) (node, error) {
	attribute := func(name string) string {
		for _, a := range t.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	switch tag := t.Name.Local; tag {
	case "p":
		return block("p"), nil
	case tagLink:
		return link(attribute("href")), nil
	case tagPicture:
		return picture("", attribute("src")), nil
	case tagBlock, tagBold, tagItalic, tagCode, tagQuote, tagBreak, tagTable, tagRow, tagCell, tagList, tagItem:
		return of(tag), nil
	default:
		return node{}, fmt.Errorf("read HTML: there is no way to draw <%s>", tag)
	}
}
