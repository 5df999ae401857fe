package email

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/mail"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/hookarr/hookarr/plugins/internal/message"
	"github.com/hookarr/hookarr/plugins/internal/poster"
	"github.com/hookarr/hookarr/plugins/internal/template"
	"github.com/hookarr/hookarr/sdk"
)

// config is one mail server, and whom to mail to.
type config struct {
	Host               string               `json:"host" hookarr:"required,group=Mail server" jsonschema:"example=smtp.example.com" doc:"Mail server that takes mails from you: smtp.example.com."`
	Port               int                  `json:"port" hookarr:"group=Mail server" jsonschema:"minimum=1,maximum=65535" doc:"Its port. Default: 587, with tls implicit 465, with tls none 25."`
	TLS                string               `json:"tls" hookarr:"default=starttls,enum=starttls|implicit|none,group=Mail server" doc:"How the connection is encrypted. starttls: by the command STARTTLS, without which no mail is sent; implicit: from its first byte; none: not at all, and without a login."`
	Username           string               `json:"username" hookarr:"group=Mail server" doc:"Who logs in; with a password."`
	Password           sdk.Secret           `json:"password" hookarr:"group=Mail server" doc:"The password, often one that the provider makes for applications."`
	From               string               `json:"from" hookarr:"required,group=Mail" jsonschema:"example=hookarr@example.com" doc:"Who writes: hookarr@example.com, or \"Hookarr <hookarr@example.com>\"."`
	To                 []string             `json:"to" hookarr:"required,group=Mail" jsonschema:"example=family@example.com" doc:"Who gets each mail."`
	CC                 []string             `json:"cc" hookarr:"group=Mail,title=Copy" doc:"Who gets a copy."`
	SubjectPrefix      string               `json:"subject_prefix" hookarr:"group=Mail" doc:"What every subject begins with, such as [Hookarr]."`
	Images             string               `json:"images" hookarr:"default=off,enum=off|link|embed,group=Look" doc:"Posters. off: none; link: the reader's program loads those of public sites, which tells the site of it; embed: Hookarr fetches them, and they are a part of the mail."`
	ImageHosts         []string             `json:"image_hosts" hookarr:"advanced" doc:"Hosts that posters are fetched from besides the public ones of TMDb, TVDB, fanart.tv, TVmaze and Lidarr, such as nas.lan:7878."`
	Look               message.Look         `json:"look" hookarr:"default=standard,enum=compact|standard|rich|poster,group=Look" doc:"How much a mail shows. compact: what happened to what; standard; rich: everything that is known; poster: a large picture and few facts."`
	Templates          template.ByType[own] `json:"templates" hookarr:"group=Own words" doc:"Mails in your own words, by event type or pattern such as media.*; the most specific one is used. Each has subject, text, html, or several of them."`
	HELO               string               `json:"helo" hookarr:"advanced" doc:"Name that this computer calls itself to the server. Default: its host name."`
	InsecureSkipVerify bool                 `json:"insecure_skip_verify" hookarr:"advanced" doc:"Accept any TLS certificate, such as one that the server signed itself."`
}

const (
	tlsStart    = "starttls"
	tlsImplicit = "implicit"
	tlsNone     = "none"
)

const (
	imagesOff   = "off"
	imagesLink  = "link"
	imagesEmbed = "embed"
)

const (
	portSubmission  = 587
	portSubmissions = 465
	portRelay       = 25
)

const (
	// maxRecipients is how many a server has to take for one mail: RFC 5321, section 4.5.3.1.8.
	maxRecipients = 100
	// maxPrefix leaves a subject the room to say something, in characters.
	maxPrefix = 60
)

// Validate checks what the tags cannot say.
func (c config) Validate() error {
	problems := []error{hostProblem(c.Host), loginProblem(c)}
	if _, err := parseAddress(c.From); err != nil {
		problems = append(problems, sdk.Problem("from", err.Error()))
	}
	problems = append(problems, addressProblems("to", c.To)...)
	problems = append(problems, addressProblems("cc", c.CC)...)
	if n := len(c.To) + len(c.CC); n > maxRecipients {
		problems = append(problems, sdk.Problem("to", fmt.Sprintf("has %d recipients with cc; a server needs to take no more than %d", n, maxRecipients)))
	}
	if strings.ContainsFunc(c.SubjectPrefix, unicode.IsControl) || len([]rune(c.SubjectPrefix)) > maxPrefix {
		problems = append(problems, sdk.Problem("subject_prefix", fmt.Sprintf("needs one line of at most %d characters", maxPrefix)))
	}
	if c.HELO != "" && !isName(c.HELO) && !isLiteral(c.HELO) {
		problems = append(problems, sdk.Problem("helo", "needs a host name, or an address in brackets: [192.0.2.1]"))
	}
	problems = append(problems, poster.CheckHosts(c.ImageHosts), c.Templates.Problems("templates"))
	for _, key := range slices.Sorted(maps.Keys(c.Templates)) {
		if c.Templates[key].empty() {
			problems = append(problems, sdk.Problem("templates."+key, "needs one of subject, text and html"))
		}
	}
	return errors.Join(problems...)
}

func hostProblem(host string) error {
	if !isName(host) && net.ParseIP(host) == nil {
		return sdk.Problem("host", "is no host; write its name or address alone, and the port in port")
	}
	if err := sdk.CheckHost(host); err != nil {
		return sdk.Problem("host", err.Error()+"; write that of the mail server")
	}
	return nil
}

// loginProblem keeps a password from a connection that everybody on the way can read.
func loginProblem(c config) error {
	switch {
	case (c.Username == "") != (c.Password == ""):
		return sdk.Problem("username", "and password belong together; write both or neither")
	case c.Username != "" && c.TLS == tlsNone:
		return sdk.Problem("tls", "needs starttls or implicit for a login; the password could be read on its way")
	case strings.ContainsAny(c.Username+c.Password.Reveal(), "\x00\r\n"):
		return sdk.Problem("username", "and password hold a line break or a NUL; remove it")
	default:
		return nil
	}
}

// port returns the configured port, or that of the kind of encryption.
func (c config) port() int {
	usual := map[string]int{tlsStart: portSubmission, tlsImplicit: portSubmissions, tlsNone: portRelay}
	return cmp.Or(c.Port, usual[c.TLS])
}

// helo returns what the computer calls itself. Its own name may be none that a server
// takes, in a container without one.
func (c config) helo() string {
	if c.HELO != "" {
		return c.HELO
	}
	if name, err := os.Hostname(); err == nil && isName(name) {
		return name
	}
	return "localhost"
}

func addressProblems(key string, addresses []string) []error {
	var problems []error
	for i, a := range addresses {
		if _, err := parseAddress(a); err != nil {
			problems = append(problems, sdk.Problem(fmt.Sprintf("%s[%d]", key, i), err.Error()))
		}
	}
	return problems
}

// parseAddress reads an address with or without a name. Forms that servers understand
// differently, or that need an extension of theirs, are refused: quotes, other scripts,
// addresses of hosts.
func parseAddress(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || !regexp.MustCompile("^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}$").MatchString(a.Address) ||
		!isName(domain(a)) || strings.ContainsFunc(a.Name, unicode.IsControl) {
		return nil, errors.New("is no address; write name@example.com, or \"Name <name@example.com>\", with a domain of other scripts in its xn-- form")
	}
	return a, nil
}

// parseAddresses reads addresses that Validate has passed.
func parseAddresses(all []string) ([]*mail.Address, error) {
	parsed := make([]*mail.Address, 0, len(all))
	for _, s := range all {
		a, err := parseAddress(s)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, a)
	}
	return parsed, nil
}

// domain returns what follows the @.
func domain(a *mail.Address) string { return a.Address[strings.LastIndexByte(a.Address, '@')+1:] }

// isName reports whether s is a host's name.
func isName(s string) bool {
	const label = `[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?`
	return len(s) <= 253 && regexp.MustCompile(`^`+label+`(\.`+label+`)*$`).MatchString(s)
}

// isLiteral reports whether s is an address in brackets: RFC 5321, section 4.1.3.
func isLiteral(s string) bool {
	inner, ok := strings.CutPrefix(strings.TrimSuffix(s, "]"), "[")
	return ok && strings.HasSuffix(s, "]") && net.ParseIP(strings.TrimPrefix(inner, "IPv6:")) != nil
}
