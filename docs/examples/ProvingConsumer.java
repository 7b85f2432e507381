import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads the events of a Qingling log from Kafka and proves each of them against the log's public key; see README.md.
 *
 * <p>From top to bottom: the command line; what a record of the topic is; the reader of the topic, which is where to
 * begin when something other than printing is to be done with an event; what it remembers between two runs; the proof
 * of an event; the Merkle tree out of its tiles; the signed checkpoint; files of the log. Nothing that Kafka or the
 * log's address answers is trusted: the key decides.
 */
public final class ProvingConsumer {
    static final int DONE = 0, COMMAND_LINE = 2, DOES_NOT_HOLD = 9, NOT_REACHED = 12;
    static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    // ------------------------------------------------------------------------------------------------ the command line

    static final String USAGE = """
            java -cp "JARS/*" ProvingConsumer.java --bootstrap HOST:PORT --log ADDRESS --key VKEY [option…]
              --bootstrap HOST:PORT,…  brokers of the cluster
              --log ADDRESS            the log: its address (https://…/log) or a folder that holds a copy of its files
              --key VKEY               the log's public key, or a file of such keys, one a line
              --topic NAME             default qingling.events.v1
              --client FILE            properties of Kafka's client: TLS, SASL
              --state FILE             remembers here how far it came, and goes on from there
              --follow                 goes on reading what is new until it is stopped""";

    /** What does not hold: the key, the log or the topic contradict each other. Not a matter of one event. */
    static final class Refused extends RuntimeException {
        Refused(String why) {
            super(why);
        }
    }

    /** The command line, or a file that it names, cannot be read. */
    static final class Misused extends RuntimeException {
        Misused(String why) {
            super(why);
        }
    }

    record Options(Map<String, String> said) {
        static final Set<String> NAMES = Set.of("bootstrap", "log", "key", "topic", "client", "state", "follow");

        static Options of(String[] arguments) {
            Map<String, String> said = new HashMap<>();
            for (int at = 0; at < arguments.length; at++) {
                String name = arguments[at].startsWith("--") ? arguments[at].substring(2) : "";
                if (!NAMES.contains(name)) throw new Misused("there is no option " + arguments[at]);
                if (name.equals("follow")) said.put(name, "");
                else if (++at < arguments.length) said.put(name, arguments[at]);
                else throw new Misused("--" + name + " needs a value");
            }
            for (String name : List.of("bootstrap", "log", "key"))
                if (!said.containsKey(name)) throw new Misused("--" + name + " is missing");
            return new Options(said);
        }

        String topic() {
            return said.getOrDefault("topic", "qingling.events.v1");
        }

        Path state() {
            return said.containsKey("state") ? Path.of(said.get("state")) : null;
        }

        boolean follow() {
            return said.containsKey("follow");
        }

        /** The file's properties, and over them what must not be otherwise. */
        Properties client() {
            Properties client = new Properties();
            if (said.containsKey("client")) {
                try (InputStream file = new FileInputStream(said.get("client"))) {
                    client.load(file);
                } catch (IOException | IllegalArgumentException error) {
                    throw new Misused(said.get("client") + " cannot be read: " + error.getMessage());
                }
            }
            client.put("bootstrap.servers", said.get("bootstrap"));
            client.put("isolation.level", "read_committed"); // what a relay did not commit is nobody's
            client.put("enable.auto.commit", "false"); // how far it came is kept beside what came of it, not in Kafka
            client.put("auto.offset.reset", "none"); // records that are gone are told, never passed over
            client.put("allow.auto.create.topics", "false");
            client.put("key.deserializer", ByteArrayDeserializer.class.getName());
            client.put("value.deserializer", ByteArrayDeserializer.class.getName()); // the proof is of the bytes
            return client;
        }
    }

    public static void main(String[] arguments) {
        if (System.getProperty("org.slf4j.simpleLogger.defaultLogLevel") == null)
            System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
        System.exit(run(arguments));
    }

    static int run(String[] arguments) {
        OutputStream buffered = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);
        PrintStream out = new PrintStream(buffered, false, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        try {
            Options options = Options.of(arguments);
            Keys keys = Keys.of(options.said().get("key"));
            State state = State.load(options.state(), options.topic(), keys);
            Log log = new Log(keys, LogFiles.at(options.said().get("log")), state.checkpoint);
            return new Reader(options, log, state, out, err).run() ? DONE : DOES_NOT_HOLD;
        } catch (Misused | ConfigException error) {
            out.flush();
            err.println(error.getMessage() + "\n" + USAGE);
            return COMMAND_LINE;
        } catch (Refused error) {
            out.flush();
            err.println("refused: " + error.getMessage());
            return DOES_NOT_HOLD;
        } catch (OffsetOutOfRangeException error) {
            out.flush();
            err.println("refused: the topic lost records that it held before: " + error.getMessage());
            return DOES_NOT_HOLD;
        } catch (IOException | KafkaException error) {
            out.flush();
            err.println("not reached: " + error.getMessage()
                    + (error.getCause() == null ? "" : " (" + error.getCause().getMessage() + ")"));
            return NOT_REACHED;
        }
    }

    // -------------------------------------------------------------------------------------------- records of the topic

    /** All up to a position that belongs to a partition stands before it. */
    record Watermark(String origin, int partitions, long upto) {
        /** The watermark that a record is; null of another one. */
        static Watermark in(ConsumerRecord<byte[], byte[]> record) {
            if (record.headers().lastHeader("qingling-watermark") == null) return null;
            try {
                JsonNode said = JSON.readTree(record.value());
                JsonNode origin = said.get("origin"), partitions = said.get("partitions"), upto = said.get("upto");
                if (origin.isTextual() && partitions.isInt() && upto.isIntegralNumber() && upto.canConvertToLong())
                    return new Watermark(origin.asText(), partitions.asInt(), upto.asLong());
            } catch (IOException | RuntimeException unreadable) {
                // told below
            }
            throw new Refused("a watermark cannot be read, " + place(record));
        }
    }

    static final Pattern POSITION = Pattern.compile("[1-9][0-9]{0,17}");

    /** The position that a record says it has; 0 where it says none. Whether that is true, the proof shows. */
    static long positionIn(ConsumerRecord<byte[], byte[]> record) {
        Iterator<Header> found = record.headers().headers("qingling-position").iterator();
        byte[] value = found.hasNext() ? found.next().value() : null;
        String text = value == null ? "" : new String(value, StandardCharsets.UTF_8);
        return POSITION.matcher(text).matches() ? Long.parseLong(text) : 0;
    }

    static String place(ConsumerRecord<byte[], byte[]> record) {
        return "partition " + record.partition() + ", offset " + record.offset();
    }

    /** The event in a record: a CloudEvents 1.0 event in structured mode. Null where the bytes are no JSON object. */
    static JsonNode eventIn(ConsumerRecord<byte[], byte[]> record) {
        try {
            JsonNode event = record.value() == null ? null : JSON.readTree(record.value());
            return event != null && event.isObject() ? event : null;
        } catch (IOException unreadable) {
            return null;
        }
    }

    // ------------------------------------------------------------------------------------------------------ the reader

    /** Reads all partitions of the topic, each in its order, and says of every event what its proof says. */
    static final class Reader {
        static final Duration POLL = Duration.ofMillis(500);
        static final long PATIENCE = 60_000; // milliseconds that the cluster may be silent before the end is reached
        static final long PAUSE = 1_000; // milliseconds from one saving of the state to the next

        final Options options;
        final Log log;
        final State state;
        final PrintStream out, err;
        final Map<Integer, Long> last = new HashMap<>(); // position of the last event behind the last watermark
        long proved, refuted, dropped;
        int partitions;

        Reader(Options options, Log log, State state, PrintStream out, PrintStream err) {
            this.options = options;
            this.log = log;
            this.state = state;
            this.out = out;
            this.err = err;
        }

        /** Whether nothing was false. Nothing is remembered from then on: the next run meets what is false again. */
        boolean run() throws IOException {
            Properties client = options.client();
            try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(client)) {
                List<TopicPartition> parts = assigned(consumer, client);
                Map<TopicPartition, Long> ends = consumer.endOffsets(parts);
                long heard = System.currentTimeMillis(), saved = heard;
                for (boolean more = true; more; ) {
                    ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                    for (ConsumerRecord<byte[], byte[]> record : records) take(record);
                    more = options.follow()
                            ? refuted == 0
                            : parts.stream().anyMatch(part -> consumer.position(part) < ends.get(part));
                    settle(!more);
                    out.flush();
                    if (refuted == 0 && (!more || System.currentTimeMillis() - saved > PAUSE)) {
                        state.save(log.checkpoint());
                        saved = System.currentTimeMillis();
                    }
                    if (!records.isEmpty()) heard = System.currentTimeMillis();
                    else if (more && !options.follow() && System.currentTimeMillis() - heard > PATIENCE)
                        throw new IOException("the brokers have been silent for a minute");
                }
            }
            sum();
            return refuted == 0;
        }

        /** All partitions, where the last run ended; a topic that was made anew is read from its beginning. */
        List<TopicPartition> assigned(KafkaConsumer<byte[], byte[]> consumer, Properties client) throws IOException {
            TopicDescription topic;
            try (Admin admin = Admin.create(client)) {
                topic = admin.describeTopics(List.of(options.topic())).allTopicNames().get().get(options.topic());
            } catch (ExecutionException error) {
                throw new IOException("topic " + options.topic() + ": " + error.getCause().getMessage());
            } catch (InterruptedException error) {
                throw new IOException(error);
            }
            partitions = topic.partitions().size();
            state.readingFrom(topic.topicId().toString());
            List<TopicPartition> parts = new ArrayList<>();
            for (int at = 0; at < partitions; at++) parts.add(new TopicPartition(options.topic(), at));
            consumer.assign(parts);
            Map<TopicPartition, Long> begins = consumer.beginningOffsets(parts);
            for (TopicPartition part : parts)
                consumer.seek(part, state.offsets.getOrDefault(part.partition(), begins.get(part)));
            return parts;
        }

        void take(ConsumerRecord<byte[], byte[]> record) throws IOException {
            Watermark mark = Watermark.in(record);
            if (mark != null) advance(record, mark);
            else event(record);
        }

        /** A partition counts as read as far as its watermarks say: no single record can push it further. */
        void advance(ConsumerRecord<byte[], byte[]> record, Watermark mark) {
            if (!mark.origin().equals(log.origin()))
                throw new Refused("the topic is of the log " + visible(mark.origin()) + " and not of " + log.origin()
                        + ", " + place(record));
            if (mark.partitions() != partitions)
                throw new Refused(
                        "the topic has " + partitions + " partitions and was written for " + mark.partitions());
            Long before = last.remove(record.partition());
            if (before != null && before > mark.upto())
                throw new Refused("an event of position " + before + " stands before the watermark of " + mark.upto()
                        + ", " + place(record));
            state.offsets.put(record.partition(), record.offset() + 1);
            state.upto.merge(record.partition(), mark.upto(), Math::max);
        }

        void event(ConsumerRecord<byte[], byte[]> record) throws IOException {
            if (!state.offsets.containsKey(record.partition()))
                throw new Refused(
                        "the partition does not begin with a watermark, so nobody knows whose it is, " + place(record));
            long position = positionIn(record);
            if (position == 0) {
                say(place(record), null, Verdict.FALSE, "neither an event nor a watermark");
                return;
            }
            long seen = Math.max(state.upto.get(record.partition()), last.getOrDefault(record.partition(), 0L));
            if (position <= seen) {
                dropped++;
                return;
            }
            last.put(record.partition(), position);
            JsonNode event = eventIn(record);
            byte[] leaf = record.value() == null ? new byte[0] : leafHash(record.value());
            Verdict verdict = log.verdict(position, leaf);
            String fault = verdict == Verdict.FALSE
                    ? "these are not the bytes that the log has at this position"
                    : misplaced(record, event);
            if (fault == null && verdict == Verdict.NOT_YET)
                state.pending.put(position, new Pending(leaf, described(Long.toString(position), event)));
            say(Long.toString(position), event, fault == null ? verdict : Verdict.FALSE, fault);
        }

        /** A true event in a partition that is not its own: there it would be out of order, or counted twice. */
        String misplaced(ConsumerRecord<byte[], byte[]> record, JsonNode event) {
            byte[] key = event == null ? null : event.path("partitionkey").asText().getBytes(StandardCharsets.UTF_8);
            if (key == null || !Arrays.equals(key, record.key())) return "its key is not that of the event";
            CRC32 sum = new CRC32();
            sum.update(key);
            long own = sum.getValue() % partitions;
            if (own == record.partition()) return null;
            return "it belongs in partition " + own + " and stands in " + record.partition();
        }

        /** What was not published when it was read, and is now. */
        void settle(boolean atLast) throws IOException {
            if (state.pending.isEmpty()) return;
            log.refresh(atLast);
            while (!state.pending.isEmpty() && state.pending.firstKey() <= log.size()) {
                Map.Entry<Long, Pending> next = state.pending.pollFirstEntry();
                say(next.getValue().line(), log.verdict(next.getKey(), next.getValue().leaf()), null);
            }
        }

        void say(String position, JsonNode event, Verdict verdict, String why) {
            say(described(position, event), verdict, why);
        }

        /** This is where a program of your own does with an event what it is for: when it is proved. */
        void say(String line, Verdict verdict, String why) {
            if (verdict == Verdict.PROVED) proved++;
            if (verdict == Verdict.FALSE) refuted++;
            out.println(line + "\t" + verdict.said + (why == null ? "" : ": " + why));
        }

        void sum() {
            long upto = state.upto.size() < partitions
                    ? 0
                    : state.upto.values().stream().mapToLong(Long::longValue).min().orElse(0);
            err.println(proved + " proved, " + state.pending.size() + " not yet published, " + refuted + " FALSE; "
                    + dropped + " seen before; the topic says that it is complete up to position " + upto
                    + ", the checkpoint reaches " + log.size());
        }
    }

    /** Position, type, subject, time. */
    static String described(String position, JsonNode event) {
        StringBuilder line = new StringBuilder(position);
        for (String name : List.of("type", "subject", "time"))
            line.append('\t').append(event == null ? "?" : visible(event.path(name).asText("?")));
        return line.toString();
    }

    /** Without what could begin another line or column: a false event may hold anything. */
    static String visible(String text) {
        return text.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Zl}\\p{Zp}]", "\uFFFD");
    }

    // ------------------------------------------------------------------------------------ between one run and the next

    /** An event that was not published when it was read: its leaf hash, and its line. */
    record Pending(byte[] leaf, String line) {}

    /**
     * How far every partition was read, behind its last watermark; which events wait for their proof; and the last
     * checkpoint, which every later one must extend. Written after what was read was said, so a crash has some said
     * again, and loses none.
     */
    static final class State {
        final Path file;
        final String topic;
        final Map<Integer, Long> offsets = new TreeMap<>();
        final Map<Integer, Long> upto = new TreeMap<>();
        final TreeMap<Long, Pending> pending = new TreeMap<>();
        String topicId = "";
        Checkpoint checkpoint;

        State(Path file, String topic) {
            this.file = file;
            this.topic = topic;
        }

        static State load(Path file, String topic, Keys keys) {
            State state = new State(file, topic);
            if (file == null || !Files.exists(file)) return state;
            try {
                state.read(JSON.readTree(file.toFile()), keys);
            } catch (IOException | IllegalArgumentException error) {
                throw new Misused(file + " cannot be read: " + error.getMessage());
            }
            return state;
        }

        void read(JsonNode kept, Keys keys) {
            if (!kept.path("topic").asText().equals(topic)) throw new Misused(file + " is not of the topic " + topic);
            topicId = kept.path("topicId").asText();
            for (Map.Entry<String, JsonNode> each : kept.path("offsets").properties())
                offsets.put(Integer.valueOf(each.getKey()), each.getValue().asLong());
            for (Map.Entry<String, JsonNode> each : kept.path("upto").properties())
                upto.put(Integer.valueOf(each.getKey()), each.getValue().asLong());
            for (Map.Entry<String, JsonNode> each : kept.path("pending").properties()) {
                byte[] leaf = HexFormat.of().parseHex(each.getValue().path("leaf").asText());
                String line = each.getValue().path("line").asText();
                pending.put(Long.valueOf(each.getKey()), new Pending(leaf, line));
            }
            String note = kept.path("checkpoint").asText("");
            if (!note.isEmpty()) checkpoint = Checkpoint.open(note.getBytes(StandardCharsets.UTF_8), keys);
        }

        /** Offsets mean nothing in a topic that was made anew; positions do, so what was seen is dropped. */
        void readingFrom(String id) {
            if (!id.equals(topicId)) offsets.clear();
            topicId = id;
        }

        void save(Checkpoint reached) {
            if (file == null) return;
            ObjectNode kept = JSON.createObjectNode().put("topic", topic).put("topicId", topicId);
            kept.set("offsets", JSON.valueToTree(offsets));
            kept.set("upto", JSON.valueToTree(upto));
            ObjectNode waiting = kept.putObject("pending");
            pending.forEach((position, each) -> waiting.putObject(position.toString())
                    .put("leaf", HexFormat.of().formatHex(each.leaf()))
                    .put("line", each.line()));
            kept.put("checkpoint", reached == null ? null : reached.note());
            Path written = file.resolveSibling(file.getFileName() + ".new");
            try {
                Files.write(written, JSON.writeValueAsBytes(kept));
                Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (IOException error) {
                throw new Misused(file + " cannot be written: " + error.getMessage());
            }
        }
    }

    // ------------------------------------------------------------------------------------------- the proof of an event

    enum Verdict {
        PROVED("proved"),
        NOT_YET("not yet published"),
        FALSE("FALSE");

        final String said;

        Verdict(String said) {
            this.said = said;
        }
    }

    /** The log under its newest checkpoint. Each must extend the one before: of two histories only one gets in. */
    static final class Log {
        static final long PAUSE = 1_000; // milliseconds from one question for a newer checkpoint to the next

        final Keys keys;
        final LogFiles files;
        final Tiles tiles;
        Checkpoint before; // of an earlier run, until the first of this one extends it
        Tree tree;
        long asked;

        Log(Keys keys, LogFiles files, Checkpoint before) throws IOException {
            this.keys = keys;
            this.files = files;
            this.tiles = new Tiles(files);
            this.before = before;
            refresh(true);
        }

        String origin() {
            return keys.origin();
        }

        long size() {
            return tree == null ? 0 : tree.size();
        }

        Checkpoint checkpoint() {
            return tree == null ? before : tree.head;
        }

        /** Whether the log has this leaf at this position (its leaf index is one less). */
        Verdict verdict(long position, byte[] leaf) throws IOException {
            if (position > size()) refresh(false);
            if (position > size()) return Verdict.NOT_YET;
            return Arrays.equals(tree.leaf(position - 1), leaf) ? Verdict.PROVED : Verdict.FALSE;
        }

        /** Asks for the newest checkpoint; at most once a second, where it need not be now. */
        void refresh(boolean now) throws IOException {
            if (!now && System.currentTimeMillis() - asked < PAUSE) return;
            asked = System.currentTimeMillis();
            byte[] note = files.read("checkpoint");
            if (note == null) return; // none was published yet
            Checkpoint head = Checkpoint.open(note, keys);
            Checkpoint known = checkpoint();
            if (known == null) tree = new Tree(head, tiles);
            else if (head.size() >= known.size()) {
                Tree grown = tree != null && head.size() == known.size() ? tree : new Tree(head, tiles);
                grown.requireAt(known);
                grown.requireAt(head);
                tree = grown;
            } else if (tree != null) tree.requireAt(head); // an older one, from a cache: a part of the same history
            else
                throw new Refused(
                        "the log has " + head.size() + " events, and had " + known.size() + " in the last run");
        }
    }

    // ----------------------------------------------------------------------------- the Merkle tree (RFC 6962) in tiles

    static final int HASH = 32, WIDTH = 256, HEIGHT = 8, LEVELS = 8;

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error); // every JDK has it
        }
    }

    /** SHA-256(00 || entry), RFC 6962 section 2.1. */
    static byte[] leafHash(byte[] entry) {
        MessageDigest digest = sha256();
        digest.update((byte) 0);
        return digest.digest(entry);
    }

    /** SHA-256(01 || left || right). */
    static byte[] nodeHash(byte[] left, byte[] right) {
        MessageDigest digest = sha256();
        digest.update((byte) 1);
        digest.update(left);
        return digest.digest(right);
    }

    /**
     * The tree of a checkpoint, out of tiles (C2SP tlog-tiles): hash i of a level is the root over tile i below it.
     *
     * <p>No tile is trusted. The partial tiles at the right edge together give the root, or there is no tree; every
     * full tile must give the hash that stands for it in the tile above, up to the right edge. So a leaf out of a tile
     * is a leaf under the signed root: what an inclusion proof shows, for 256 leaves at once.
     */
    static final class Tree {
        final Checkpoint head;
        final Tiles tiles;
        final byte[][] edge = new byte[LEVELS][];
        final Map<String, byte[]> proved = new Recent<>();

        Tree(Checkpoint head, Tiles tiles) throws IOException {
            this.head = head;
            this.tiles = tiles;
            for (int level = 0; level < LEVELS; level++) {
                int width = (int) (count(level, head.size()) % WIDTH);
                if (width > 0) edge[level] = tiles.read(level, count(level, head.size()) / WIDTH, width);
            }
            requireAt(head);
        }

        long size() {
            return head.size();
        }

        byte[] leaf(long index) throws IOException {
            return hash(tile(0, index / WIDTH), (int) (index % WIDTH));
        }

        /** Checks that the tree began with an earlier one, leaf for leaf: the same bytes give its root. */
        void requireAt(Checkpoint earlier) throws IOException {
            if (!Arrays.equals(rootAt(earlier.size()), earlier.root()))
                throw new Refused(earlier == head
                        ? "the tiles do not give the root that was signed for " + head.size() + " events"
                        : "two checkpoints contradict each other: the tree of " + head.size()
                                + " events does not begin with that of " + earlier.size());
        }

        /** The root over the first `size` leaves: complete subtrees, joined from the smallest, the rightmost. */
        byte[] rootAt(long size) throws IOException {
            byte[] root = null;
            for (int level = 0; level < LEVELS; level++) {
                int width = (int) (count(level, size) % WIDTH);
                byte[] tile = width == 0 ? null : tile(level, count(level, size) / WIDTH);
                for (int high = 0, end = width; end > 0; high++)
                    if ((end >> high & 1) == 1) {
                        end -= 1 << high;
                        byte[] subtree = subtree(tile, end, high);
                        root = root == null ? subtree : nodeHash(subtree, root);
                    }
            }
            return root == null ? sha256().digest() : root;
        }

        /** A tile whose hashes stand under the root. */
        byte[] tile(int level, long index) throws IOException {
            if (index == count(level, head.size()) / WIDTH) return edge[level];
            byte[] known = proved.get(level + "/" + index);
            if (known != null) return known;
            byte[] full = tiles.read(level, index, WIDTH);
            if (!Arrays.equals(subtree(full, 0, HEIGHT), hash(tile(level + 1, index / WIDTH), (int) (index % WIDTH))))
                throw new Refused(Tiles.path(level, index, WIDTH)
                        + " does not stand under the root that was signed for " + head.size() + " events");
            proved.put(level + "/" + index, full);
            return full;
        }

        static long count(int level, long size) {
            return size >>> HEIGHT * level;
        }

        static byte[] hash(byte[] tile, int at) {
            return Arrays.copyOfRange(tile, at * HASH, (at + 1) * HASH);
        }

        /** The root over 2^height hashes of a tile. */
        static byte[] subtree(byte[] tile, int from, int height) {
            return height == 0
                    ? hash(tile, from)
                    : nodeHash(subtree(tile, from, height - 1), subtree(tile, from + (1 << height - 1), height - 1));
        }
    }

    /** The tiles of a log, as it gives them; nothing is proved here. Full ones never change and are fetched once. */
    static final class Tiles {
        final LogFiles files;
        final Map<String, byte[]> kept = new Recent<>();

        Tiles(LogFiles files) {
            this.files = files;
        }

        byte[] read(int level, long index, int width) throws IOException {
            String full = path(level, index, WIDTH);
            byte[] tile = kept.get(full);
            if (tile == null && width < WIDTH) tile = files.read(path(level, index, width));
            if (tile == null) {
                tile = files.read(full); // a log need not keep a partial tile once it is full
                if (tile == null) throw new IOException("the log has no " + path(level, index, width));
                if (tile.length == WIDTH * HASH) kept.put(full, tile);
            }
            if (tile.length != width * HASH && tile.length != WIDTH * HASH)
                throw new Refused(path(level, index, width) + " has " + tile.length + " bytes");
            return tile.length == width * HASH ? tile : Arrays.copyOf(tile, width * HASH);
        }

        /** `tile/0/x001/x234/067.p/8`: an index in groups of three digits, the width of a partial tile behind it. */
        static String path(int level, long index, int width) {
            String digits = Long.toString(index);
            digits = "0".repeat((3 - digits.length() % 3) % 3) + digits;
            StringBuilder path = new StringBuilder("tile/" + level);
            for (int at = 0; at < digits.length(); at += 3)
                path.append(at + 3 < digits.length() ? "/x" : "/").append(digits, at, at + 3);
            return width == WIDTH ? path.toString() : path + ".p/" + width;
        }
    }

    /** What was used last: tiles of the leaves of half a million events, 16 MB. */
    static final class Recent<K, V> extends LinkedHashMap<K, V> {
        static final int MOST = 2_048;

        Recent() {
            super(64, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > MOST;
        }
    }

    // ------------------------------------------------------- the signed checkpoint (C2SP tlog-checkpoint, signed-note)

    /** The log's public keys; all bear one name, which is the log's origin. */
    record Keys(String origin, Map<String, PublicKey> byId) {
        static final Pattern VKEY = Pattern.compile("([^+\\p{Z}\\p{Cntrl}]+)\\+([0-9a-f]{8})\\+([A-Za-z0-9+/=]+)");
        /** What stands before the 32 bytes of an Ed25519 key in an X.509 encoding (RFC 8410, section 4). */
        static final byte[] X509 = HexFormat.of().parseHex("302a300506032b6570032100");
        static final int ED25519 = 1;

        /** A vkey, or a file of them; lines that begin with # are skipped. */
        static Keys of(String said) {
            Map<String, PublicKey> byId = new HashMap<>();
            String origin = null;
            for (String line : lines(said)) {
                var parts = VKEY.matcher(line);
                byte[] key = parts.matches() ? base64(parts.group(3)) : null;
                if (key == null || key.length != 1 + HASH || key[0] != ED25519)
                    throw new Misused(
                            "--key names no Ed25519 key of a log, <name>+<key id>+<Base64>: " + visible(line));
                if (!parts.group(2).equals(id(parts.group(1), key)))
                    throw new Misused("the key id is not that of the key: " + visible(line));
                if (origin != null && !origin.equals(parts.group(1))) throw new Misused("--key names keys of two logs");
                origin = parts.group(1);
                byId.put(parts.group(2), ed25519(key));
            }
            if (origin == null) throw new Misused("--key names no key");
            return new Keys(origin, byId);
        }

        static List<String> lines(String said) {
            if (VKEY.matcher(said).matches()) return List.of(said);
            try {
                return Files.readString(Path.of(said)).lines().map(String::strip)
                        .filter(line -> !line.isEmpty() && !line.startsWith("#")).toList();
            } catch (IOException | RuntimeException error) {
                throw new Misused("--key is neither a key nor a file that can be read: " + visible(said));
            }
        }

        /** SHA-256(name || 0A || type || public key)[:4], in hexadecimal digits. */
        static String id(String name, byte[] key) {
            MessageDigest digest = sha256();
            digest.update((name + "\n").getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest.digest(key), 0, 4);
        }

        static PublicKey ed25519(byte[] key) {
            ByteBuffer encoded = ByteBuffer.allocate(X509.length + HASH).put(X509).put(key, 1, HASH);
            try {
                return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded.array()));
            } catch (GeneralSecurityException error) {
                throw new Misused("--key: " + error.getMessage());
            }
        }
    }

    /** The bytes of standard Base64 with padding, in its one spelling; null of anything else. */
    static byte[] base64(String text) {
        try {
            byte[] data = Base64.getDecoder().decode(text);
            return Base64.getEncoder().encodeToString(data).equals(text) ? data : null;
        } catch (IllegalArgumentException error) {
            return null;
        }
    }

    /** A head that the log signed: how many leaves, and the root over them. `note` is what it came in. */
    record Checkpoint(long size, byte[] root, String note) {
        static final Pattern SIZE = Pattern.compile("0|[1-9][0-9]{0,17}");
        static final int MOST = 1_000_000;

        /**
         * Opens a note: text, a blank line, signature lines. Lines of other keys (witnesses) are passed over; one of a
         * known key, by name and id together, must verify, and there must be one.
         */
        static Checkpoint open(byte[] data, Keys keys) {
            String note = text(data);
            int blank = note.lastIndexOf("\n\n");
            if (blank < 0 || !note.endsWith("\n")) throw new Refused("the checkpoint is no signed note");
            String text = note.substring(0, blank + 1);
            int signed = 0;
            for (String line : note.substring(blank + 2, note.length() - 1).split("\n", -1)) {
                String[] parts = line.split(" ", -1);
                byte[] signature = parts.length == 3 && parts[0].equals("\u2014") ? base64(parts[2]) : null;
                if (signature == null || signature.length <= 4)
                    throw new Refused("a line below the checkpoint's text is no signature");
                PublicKey key = parts[1].equals(keys.origin())
                        ? keys.byId().get(HexFormat.of().formatHex(signature, 0, 4)) : null;
                if (key == null) continue;
                if (!verifies(key, text, Arrays.copyOfRange(signature, 4, signature.length)))
                    throw new Refused("the signature of " + keys.origin() + " under the checkpoint does not verify");
                signed++;
            }
            if (signed == 0)
                throw new Refused("the checkpoint is not signed by a key that was given for " + keys.origin());
            return read(text, note, keys);
        }

        static Checkpoint read(String text, String note, Keys keys) {
            String[] lines = text.substring(0, text.length() - 1).split("\n", -1);
            byte[] root = lines.length < 3 ? null : base64(lines[2]);
            if (root == null || root.length != HASH || !SIZE.matcher(lines[1]).matches())
                throw new Refused("the signed text is no checkpoint");
            if (!lines[0].equals(keys.origin())) throw new Refused("the checkpoint is of the log " + visible(lines[0]));
            return new Checkpoint(Long.parseLong(lines[1]), root, note);
        }

        static boolean verifies(PublicKey key, String text, byte[] signature) {
            try {
                Signature check = Signature.getInstance("Ed25519");
                check.initVerify(key);
                check.update(text.getBytes(StandardCharsets.UTF_8));
                return check.verify(signature);
            } catch (GeneralSecurityException error) {
                return false;
            }
        }

        static String text(byte[] data) {
            try {
                String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(data)).toString();
                if (data.length <= MOST && text.chars().noneMatch(each -> each < ' ' && each != '\n')) return text;
            } catch (CharacterCodingException error) {
                // told below
            }
            throw new Refused("the checkpoint is no text");
        }
    }

    // ---------------------------------------------------------------------------------------------- the files of a log

    /** The static files of a log (C2SP tlog-tiles). Null where there is no such file. */
    interface LogFiles {
        byte[] read(String path) throws IOException;

        static LogFiles at(String said) {
            if (said.matches("https?://[^/\\s?#]+(/[^\\s?#]*)?")) return new Served(said.replaceAll("/+$", "") + "/");
            Path folder = Path.of(said);
            if (!Files.isDirectory(folder)) throw new Misused("--log is neither an address nor a folder: " + said);
            return path -> {
                try {
                    return Files.readAllBytes(folder.resolve(path));
                } catch (NoSuchFileException | NotDirectoryException absent) {
                    return null;
                }
            };
        }
    }

    /** Over HTTP; what fails is tried three times. */
    static final class Served implements LogFiles {
        static final Duration PATIENCE = Duration.ofSeconds(30);
        static final int TIMES = 3;

        final String root;
        final HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1) // nothing to be won by asking for more
                .connectTimeout(PATIENCE)
                .build();

        Served(String root) {
            this.root = root;
        }

        @Override
        public byte[] read(String path) throws IOException {
            HttpRequest request = HttpRequest.newBuilder(URI.create(root + path)).timeout(PATIENCE).build();
            String trouble = "";
            for (int time = 0; time < TIMES; time++) {
                try {
                    if (time > 0) Thread.sleep(500);
                    HttpResponse<byte[]> answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
                    if (answer.statusCode() == 200) return answer.body();
                    if (answer.statusCode() == 404) return null;
                    if (answer.statusCode() == 503 && path.equals("checkpoint")) return null; // the log has none yet
                    trouble = "status " + answer.statusCode();
                } catch (IOException error) {
                    trouble = error.toString();
                } catch (InterruptedException error) {
                    throw new IOException(error);
                }
            }
            throw new IOException(root + path + ": " + trouble);
        }
    }

    private ProvingConsumer() {}
}
