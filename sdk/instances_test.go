package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/hookarr/hookarr/sdk"
	"github.com/hookarr/hookarr/sdk/host"
	"github.com/hookarr/hookarr/sdk/internal/process"
	"github.com/hookarr/hookarr/sdk/plugintest"
)

// attach serves a plugin in this process and connects to it.
func attach(t *testing.T, p *sdk.Plugin, err error) *grpc.ClientConn {
	t.Helper()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	log := process.Log{Output: t.Output(), Level: slog.LevelDebug}
	address, done, err := process.ServeTest(ctx, p.Services(log), log)
	require.NoError(t, err)
	conn, err := grpc.NewClient(address, append(host.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		<-done
	})
	return conn
}

// ledger remembers what became of instances.
type ledger struct {
	mu     sync.Mutex
	built  []string
	closed []string
	// hold delays deliveries until it is closed; entered says that one has begun.
	hold, entered chan struct{}
}

func (l *ledger) note(list *[]string, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, what)
}

func (l *ledger) copy(list *[]string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, *list...)
}

type ledgerConfig struct {
	Value string `json:"value" hookarr:"required" doc:"Any."`
	// Fail makes the constructor fail.
	Fail sdk.Secret `json:"fail" doc:"How to fail."`
}

type ledgerTarget struct {
	ledger *ledger
	value  string
}

func (l *ledger) newTarget(_ context.Context, env sdk.Env, c ledgerConfig) (sdk.Target, error) {
	value := env.Instance + "=" + c.Value
	switch c.Fail {
	case "panic-please":
		panic("with a secret: panic-please") //nolint:forbidigo // The host must hear of it.
	case "nothing-please":
		return nil, nil //nolint:nilnil // A bug that the SDK catches.
	case "":
	default:
		return nil, errors.Join(sdk.Problem("value", "is bad"), errors.New("the secret is "+c.Fail.Reveal()))
	}
	l.note(&l.built, value)
	return &ledgerTarget{ledger: l, value: value}, nil
}

func (t *ledgerTarget) Deliver(context.Context, sdk.Delivery) (sdk.Receipt, error) {
	if t.ledger.hold != nil {
		t.ledger.entered <- struct{}{}
		<-t.ledger.hold
	}
	if slices.Contains(t.ledger.copy(&t.ledger.closed), t.value) {
		return sdk.Receipt{}, sdk.Permanent(errors.New("closed while in use"))
	}
	return sdk.Receipt{MessageID: t.value}, nil
}

func (t *ledgerTarget) Close() error {
	t.ledger.note(&t.ledger.closed, t.value)
	return errors.New("closing is never quite clean")
}

func setupLedger(t *testing.T) (*ledger, *host.Client) {
	t.Helper()
	l := &ledger{}
	p, err := sdk.NewTargetPlugin(sdk.Info{Name: "ledger", Version: "1.0.0"}, l.newTarget)
	return l, host.NewClient(attach(t, p, err))
}

func instance(name, config string) host.Instance {
	return host.Instance{Name: name, Config: json.RawMessage(config)}
}

func TestConfigureReplacesTheSet(t *testing.T) {
	t.Parallel()
	l, client := setupLedger(t)
	configure := func(instances ...host.Instance) {
		t.Helper()
		configured, err := client.Configure(t.Context(), instances, false)
		require.NoError(t, err)
		require.Empty(t, configured.Problems)
		require.Len(t, configured.Instances, len(instances))
	}
	deliver := func(name string) (string, error) {
		o, err := client.Deliver(t.Context(), name, plugintest.Delivery(t, "d", plugintest.EventOf(sdk.TypeTest)))
		return o.Receipt.MessageID, err
	}
	configure(instance("a", `{"value":"1"}`), instance("b", `{"value":"1"}`))
	require.Equal(t, []string{"a=1", "b=1"}, l.copy(&l.built))

	configure(instance("a", `{"value":"1"}`), instance("b", `{"value":"2"}`), instance("c", `{"value":"1"}`))
	require.Equal(t, []string{"a=1", "b=1", "b=2", "c=1"}, l.copy(&l.built), "what has not changed is not touched")
	require.Eventually(t, func() bool { return len(l.copy(&l.closed)) == 1 }, waitTimeout, 1)
	require.Equal(t, []string{"b=1"}, l.copy(&l.closed))
	id, err := deliver("b")
	require.NoError(t, err)
	require.Equal(t, "b=2", id)

	configure(instance("c", `{"value":"1"}`))
	require.Eventually(t, func() bool { return len(l.copy(&l.closed)) == 3 }, waitTimeout, 1)
	require.ElementsMatch(t, []string{"b=1", "a=1", "b=2"}, l.copy(&l.closed))
	_, err = deliver("a")
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
}

func TestConfigureTellsEveryProblemAndKeepsTheFormerSelf(t *testing.T) {
	t.Parallel()
	l, client := setupLedger(t)
	_, err := client.Configure(t.Context(), []host.Instance{instance("a", `{"value":"1"}`)}, false)
	require.NoError(t, err)
	configured, err := client.Configure(t.Context(), []host.Instance{
		instance("a", `{"valeu":"2"}`),
		instance("b", `{"value":"1","fail":"s3cr3t-value"}`),
		instance("c", `{"value":"1","fail":"panic-please"}`),
		instance("d", `{"value":"1","fail":"nothing-please"}`),
		instance("e", `{"value":"1"}`),
		instance("e", `{"value":"2"}`),
	}, false)
	require.NoError(t, err)
	require.Equal(t, []host.Problem{
		{Instance: "a", Key: "valeu", Message: "is an unknown key; did you mean value?"},
		{Instance: "a", Key: "value", Message: "is required"},
		{Instance: "b", Key: "value", Message: "is bad"},
		{Instance: "b", Message: "the secret is [redacted]"},
		{Instance: "c", Message: "the plugin panicked while it read this: with a secret: [redacted]"},
		{Instance: "d", Message: "the plugin built nothing from this, which is a bug in it"},
		{Instance: "e", Message: "is configured twice"},
	}, configured.Problems)
	require.Equal(t, []host.InstanceInfo{{Name: "e"}}, configured.Instances)
	for name, code := range map[string]codes.Code{"a": codes.OK, "b": codes.FailedPrecondition, "e": codes.OK} {
		_, err := client.Deliver(t.Context(), name, plugintest.Delivery(t, "d", plugintest.EventOf(sdk.TypeTest)))
		require.Equal(t, code, status.Code(err), name)
	}
	require.Empty(t, l.copy(&l.closed))
}

func TestValidateOnlyChangesNothing(t *testing.T) {
	t.Parallel()
	l, client := setupLedger(t)
	_, err := client.Configure(t.Context(), []host.Instance{instance("a", `{"value":"1"}`)}, false)
	require.NoError(t, err)
	configured, err := client.Configure(t.Context(), []host.Instance{instance("a", `{"value":"2"}`), instance("b", `{}`)}, true)
	require.NoError(t, err)
	require.Len(t, configured.Problems, 1)
	require.Equal(t, []host.InstanceInfo{{Name: "a"}}, configured.Instances)
	require.Eventually(t, func() bool { return len(l.copy(&l.closed)) == 1 }, waitTimeout, 1)
	require.Equal(t, []string{"a=2"}, l.copy(&l.closed), "what was built to judge is closed")
	o, err := client.Deliver(t.Context(), "a", plugintest.Delivery(t, "d", plugintest.EventOf(sdk.TypeTest)))
	require.NoError(t, err)
	require.Equal(t, "a=1", o.Receipt.MessageID)
}

func TestInstanceIsClosedAfterItsCalls(t *testing.T) {
	t.Parallel()
	l, client := setupLedger(t)
	l.hold, l.entered = make(chan struct{}), make(chan struct{})
	_, err := client.Configure(t.Context(), []host.Instance{instance("a", `{"value":"1"}`)}, false)
	require.NoError(t, err)
	d := plugintest.Delivery(t, "d", plugintest.EventOf(sdk.TypeTest))
	outcome := make(chan host.Outcome, 1)
	go func() {
		o, _ := client.Deliver(t.Context(), "a", d)
		outcome <- o
	}()
	<-l.entered
	_, err = client.Configure(t.Context(), []host.Instance{instance("a", `{"value":"2"}`)}, false)
	require.NoError(t, err, "the swap does not wait for calls")
	require.Empty(t, l.copy(&l.closed))
	close(l.hold)
	o := <-outcome
	require.Equal(t, sdk.ClassOK, o.Class, o.Message)
	require.Equal(t, "a=1", o.Receipt.MessageID)
	require.Eventually(t, func() bool { return len(l.copy(&l.closed)) == 1 }, waitTimeout, 1)
}

func TestServeRefusesBadInfo(t *testing.T) {
	t.Parallel()
	l := &ledger{}
	tests := map[string]sdk.Info{
		"the name":         {Name: "No Such", Version: "1.0.0"},
		"the version":      {Name: "a", Version: "v1"},
		"the feature":      {Name: "a", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureHistory}},
		"sdk.FeatureGroup": {Name: "a", Version: "1.0.0", Defaults: sdk.Defaults{Group: sdk.GroupDefaults{Max: 5}}},
	}
	for want, info := range tests {
		_, err := sdk.NewTargetPlugin(info, l.newTarget)
		require.ErrorContains(t, err, want)
	}
	_, err := sdk.NewTargetPlugin(sdk.Info{
		Name: "a", Version: "1.0.0", Features: []sdk.Feature{sdk.FeatureGroup}, Defaults: sdk.Defaults{Group: sdk.GroupDefaults{Max: 5}},
	}, l.newTarget)
	require.NoError(t, err)
	_, err = sdk.NewSourcePlugin(sdk.Info{Name: "a", Version: "1.0.0", Defaults: sdk.Defaults{Concurrency: 1}},
		func(context.Context, sdk.Env, struct{}) (sdk.Source, error) { return nil, errors.New("unused") })
	require.ErrorContains(t, err, "Info.Defaults is for targets")
	_, err = sdk.NewTargetPlugin(sdk.Info{Name: "a", Version: "1.0.0-rc.1+build"}, func(context.Context, sdk.Env, struct {
		A string `json:"a" hookarr:"requird"`
	},
	) (sdk.Target, error) {
		return nil, errors.New("unused")
	})
	require.ErrorContains(t, err, "requird")
	require.ErrorContains(t, err, "field")
}
