// Command outside is what the tests of witnessing need of implementations that nobody here wrote: a log that has its
// checkpoints cosigned (Tessera), and a verifier that reads a policy (torchwood). It uses their packages and adds nothing
// but the command line.
//
//	outside log -dir DIR -key FILE -policy FILE -entries N -text TEXT   grows a log, prints its published checkpoint
//	outside verify -policy FILE                                         a checkpoint on stdin; says what the policy accepts in it
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"filippo.io/torchwood"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	verbs := map[string]func(context.Context, []string) error{"log": grow, "verify": verify}
	if len(os.Args) < 2 || verbs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "outside log|verify …")
		os.Exit(2)
	}
	if err := verbs[os.Args[1]](context.Background(), os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// grow adds entries to a Tessera log in two batches, so that the second checkpoint needs a consistency proof. Tessera
// publishes a checkpoint only once the policy's witnesses have cosigned it.
func grow(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("log", flag.ExitOnError)
	dir := flags.String("dir", "", "folder of the log")
	keyFile := flags.String("key", "", "file with the log's signing key")
	policyFile := flags.String("policy", "", "file with the policy")
	entries := flags.Int("entries", 0, "how many entries to add, twice")
	text := flags.String("text", "entry", "what the entries say")
	patience := flags.Duration("patience", 30*time.Second, "how long to wait for publication")
	_ = flags.Parse(arguments)

	ctx, cancel := context.WithTimeout(ctx, *patience)
	defer cancel()
	secret, err := os.ReadFile(*keyFile)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(secret)))
	if err != nil {
		return err
	}
	policy, err := os.ReadFile(*policyFile)
	if err != nil {
		return err
	}
	group, err := tessera.NewWitnessGroupFromPolicy(policy)
	if err != nil {
		return err
	}
	driver, err := posix.New(ctx, posix.Config{Path: *dir})
	if err != nil {
		return err
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithBatching(256, 50*time.Millisecond).
		WithCheckpointInterval(100*time.Millisecond).
		WithWitnesses(group, &tessera.WitnessOptions{Timeout: 5 * time.Second}))
	if err != nil {
		return err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 20*time.Millisecond)
	var published []byte
	for batch := range 2 {
		futures := make([]tessera.IndexFuture, *entries)
		for i := range futures {
			futures[i] = appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "%s %d in batch %d", *text, i, batch)))
		}
		for _, future := range futures {
			if _, published, err = awaiter.Await(ctx, future); err != nil {
				return err
			}
		}
	}
	if err := shutdown(ctx); err != nil {
		return err
	}
	_, err = os.Stdout.Write(published)
	return err
}

// verify checks a checkpoint with torchwood's policy and prints its origin, its size, and who signed.
func verify(_ context.Context, arguments []string) error {
	flags := flag.NewFlagSet("verify", flag.ExitOnError)
	policyFile := flags.String("policy", "", "file with the policy")
	_ = flags.Parse(arguments)

	text, err := os.ReadFile(*policyFile)
	if err != nil {
		return err
	}
	policy, err := torchwood.ParsePolicy(text)
	if err != nil {
		return err
	}
	signed, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	checkpoint, opened, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		return err
	}
	fmt.Println(checkpoint.Origin, checkpoint.N)
	for _, signature := range opened.Sigs {
		fmt.Println(signature.Name)
	}
	return nil
}
