package slack

import (
	"cmp"
	"fmt"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// composer makes messages of events.
type composer struct {
	look      message.Look
	images    string
	templates template.ByType[own]
}

// compose makes the message of a template, if there is one for it, or else the built-in
// one. That never fails.
func (c composer) compose(d sdk.Delivery) draft {
	builtIn := render(c.message(d.Events), c.look)
	words, key, ok := c.templates.For(d.Events)
	if !ok {
		return draft{payload: builtIn}
	}
	p, part, err := words.payload(d.Events, builtIn.Text)
	if err != nil {
		return draft{payload: builtIn}.because(fmt.Sprintf("template %s %s: %v: used the built-in message", key, part, err))
	}
	return draft{payload: p, builtIn: &builtIn}
}

// message is what the built-in message says and shows.
func (c composer) message(events []sdk.Event) message.Message {
	all := message.New(events...)
	m := all.In(c.look)
	switch c.images {
	case "":
	case imagesOff:
		m.Image = ""
	default:
		m.Image, m.Large = all.Image, c.images == imagesLarge
	}
	// Slack fetches the picture before it answers, and an original can have several MB.
	m.Image = cmp.Or(poster.Public(m.Image), poster.Shareable(m.Image))
	return m
}
