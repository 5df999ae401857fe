package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hookarr/hookarr/core/connect"
)

// interviewer asks a person at a terminal.
type interviewer struct {
	*cli
	ctx   context.Context //nolint:containedctx // of the one command that asks
	lines <-chan string
}

// interview asks for what is wanted.
func (c *cli) interview(ctx context.Context, w *wanted) error {
	lines := make(chan string)
	go func() { // which outlives an interrupt: reading a terminal cannot be cut short
		defer close(lines)
		for in := bufio.NewScanner(c.in); in.Scan(); {
			select {
			case lines <- strings.TrimSpace(in.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	i := interviewer{cli: c, ctx: ctx, lines: lines}
	c.tell("Every answer may be left empty.")
	if err := i.askTargets(w); err != nil {
		return err
	}
	return i.askApps(w)
}

// ask repeats a question until its answer is right or empty.
func (i interviewer) ask(question string, check func(string) error) (string, error) {
	for {
		if _, err := fmt.Fprint(i.err, question+" "); err != nil {
			return "", err
		}
		select {
		case answer, ok := <-i.lines:
			if !ok {
				return "", errors.New("the input ended before the last answer: nothing was written")
			}
			if answer == "" {
				return "", nil
			}
			err := check(answer)
			if err == nil {
				return answer, nil
			}
			i.tell(err)
		case <-i.ctx.Done():
			return "", errors.New("interrupted: nothing was written")
		}
	}
}

func (i interviewer) askTargets(w *wanted) error {
	for _, q := range []struct {
		question string
		check    func(string) error
		urls     *[]string
	}{
		{"Webhook URL of a Discord channel (Edit Channel, Integrations)?", checkURL, &w.discord},
		{"Webhook URL of a Slack channel (api.slack.com/messaging/webhooks)?", checkURL, &w.slack},
		{"URL of an ntfy topic, such as https://ntfy.sh/TOPIC?", checkTopic, &w.ntfy},
		{"URL of another endpoint?", checkURL, &w.webhook},
	} {
		answer, err := i.ask(q.question, q.check)
		if err != nil {
			return err
		}
		if answer != "" {
			*q.urls = append(*q.urls, answer)
		}
	}
	return i.askTelegram(w)
}

// askTelegram asks for the chat only where there is a bot that writes there.
func (i interviewer) askTelegram(w *wanted) (err error) {
	if w.telegram, err = i.ask("Token of a Telegram bot (from @BotFather)?", checkBotToken); err != nil || w.telegram == "" {
		return err
	}
	w.telegramChat, err = i.ask("Chat that it writes to, such as -1001234567890 or @channel?", checkChat)
	if err == nil && w.telegramChat == "" {
		w.telegram = "" // which writes nowhere
	}
	return err
}

func (i interviewer) askApps(w *wanted) error {
	names := func(answer string) []string {
		return strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' })
	}
	answer, err := i.ask("Applications, of "+strings.Join(slices.Concat(askedApps, silentApps), ", ")+" (radarr)?", func(answer string) error {
		for _, name := range names(answer) {
			if _, err := parseApp(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	remote := false
	for _, name := range names(cmp.Or(answer, askedApps[0])) {
		address, key, err := i.askAPI(name)
		if err != nil {
			return err
		}
		if key != "" {
			name += "=" + address + "," + key
			remote = remote || !connect.IsLoopback(address)
		}
		w.apps = append(w.apps, name)
	}
	if remote {
		w.externalURL, err = i.ask("Where do the applications reach this machine, such as http://hookarr:8484?", checkURL)
	}
	return err
}

// askAPI asks for the address and key of an application that is asked through its API. The
// key is empty without either.
func (i interviewer) askAPI(name string) (address, key string, err error) {
	app, err := parseApp(name)
	if err != nil || !app.Asked {
		return "", "", err
	}
	if address, err = i.ask("Address of "+name+", such as http://nas:7878?", checkURL); err != nil || address == "" {
		return "", "", err
	}
	key, err = i.ask("API key of "+name+" (Settings, General)?", func(string) error { return nil })
	return address, key, err
}
