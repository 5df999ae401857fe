package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hookarr/hookarr/core/admin"
	"github.com/hookarr/hookarr/core/admin/picture"
	"github.com/hookarr/hookarr/sdk"
)

func (c *cli) newTargetsPreview() *cobra.Command {
	var of admin.PreviewOf
	var request bool
	cmd := c.onTarget(&cobra.Command{
		Use:   "preview NAME",
		Short: "Show what a target would send; nothing is sent",
		Long: `Preview shows what a target would send of an event, of several as one message, or of a
story, and sends nothing. Messages to people are drawn, and everything else is shown as
it is; --request shows the whole request, without secrets.

The stories are made-up: season is one of 12 episodes that is imported in parts, upgrade
a better file in the place of another, health an issue and its end, and digest what
happened to many titles. With --edit the message is not a new one: it takes the place of
the delivery's, or else of the last one that the target has sent.`,
		Example: `  hookarr targets preview chat --sample media.imported
  hookarr targets preview chat --story season --edit
  hookarr targets preview chat --event 0197a2c4-5b1e --event 0197a2c4-6f02
  hookarr targets preview chat --delivery 0197a2c4-6f02 --request`,
	}, needServer, func(cmd *cobra.Command, s *service, name string) error {
		p, err := s.Preview(cmd.Context(), name, of)
		if err != nil || c.json {
			return c.orJSON(p, err)
		}
		return c.showPreview(p, request)
	})
	flags := cmd.Flags()
	flags.StringArrayVar(&of.Events, "event", nil, "of the stored event with this `ID`; several are one message")
	flags.StringVar((*string)(&of.Sample), "sample", "", "of a made-up event of this `TYPE`, such as media.imported")
	flags.StringVar((*string)(&of.Story), "story", "", "of a made-up `STORY`: season, upgrade, health or digest")
	flags.StringVar(&of.Delivery, "delivery", "", "of the events of the stored delivery with this `ID`")
	flags.StringVar(&of.Source, "source", "", "what is made-up is from this `SOURCE`")
	flags.BoolVar(&of.Edit, "edit", false, "as the edit of a message that was sent before")
	flags.BoolVar(&request, "request", false, "print the request as it would be sent")
	completeFlag(cmd, "event", c.eventIDs)
	completeFlag(cmd, "sample", words(sdk.Types()))
	completeFlag(cmd, "story", words(admin.SampleStories()))
	completeFlag(cmd, "delivery", c.deliveryIDs)
	completeFlag(cmd, "source", c.names(sourceNames))
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkPreview(of); err != nil {
			return err
		}
		if len(of.Events) == 1 {
			of.Event, of.Events = of.Events[0], nil
		}
		return run(cmd, args)
	}
	return cmd
}

// checkPreview wants exactly one thing to show.
func checkPreview(of admin.PreviewOf) error {
	given := 0
	for _, g := range []bool{len(of.Events) > 0, of.Sample != "", of.Story != "", of.Delivery != ""} {
		if g {
			given++
		}
	}
	if given != 1 {
		return usagef("give --sample media.imported, --story season, --event ID or --delivery ID, one of them")
	}
	if _, err := oneOf("story", string(of.Story), admin.SampleStories()); err != nil {
		return err
	}
	ids := of.Events
	if of.Delivery != "" {
		ids = []string{of.Delivery}
	}
	for _, id := range ids {
		if err := checkID(id); err != nil {
			return err
		}
	}
	return nil
}

// showPreview draws a message for people as they would see it, and prints any other as it
// would be sent.
func (c *cli) showPreview(p admin.Preview, request bool) error {
	var pictures []picture.Picture
	if !request {
		pictures = picture.Read(picture.Message{Plugin: p.Plugin, Header: p.Headers, Body: p.Body})
	}
	if err := c.showRequestLine(p, len(pictures) == 0); err != nil {
		return err
	}
	for _, picture := range pictures {
		if err := c.draw(picture); err != nil {
			return err
		}
	}
	if len(pictures) == 0 {
		body := p.Body
		if !request {
			body = readableBody(body)
		}
		if err := c.say("%s", cleanLines(body)); err != nil {
			return err
		}
	}
	if p.Truncated {
		if err := c.say("\nthe body goes on"); err != nil {
			return err
		}
	}
	if p.Fallback != "" {
		return c.say("\nnot as it was to be: %s", clean(p.Fallback, whole))
	}
	return nil
}

// showRequestLine prints where a request goes, and its headers before a body.
func (c *cli) showRequestLine(p admin.Preview, headers bool) error {
	if p.URL == "" {
		return nil
	}
	line := p.Method + " " + p.URL
	if !headers {
		if p.Events > 1 {
			line += fmt.Sprintf(" (%d events)", p.Events)
		}
		return c.say("%s", clean(line, whole))
	}
	lines := []string{clean(line, whole)}
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		for _, value := range p.Headers[name] {
			lines = append(lines, clean(name+": "+value, whole))
		}
	}
	return c.say("%s\n", strings.Join(lines, "\n"))
}

// readableBody is JSON with indents, and any other body as it is.
func readableBody(body string) string {
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(body), "", "  ") != nil {
		return body
	}
	return indented.String()
}
