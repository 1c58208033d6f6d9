import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * Waits until SKIP and then COUNT records more than at its start stand in a topic, or in all topics with a prefix, PREFIX*, and prints the
 * seconds from the first of the COUNT to the last. It asks the broker for the ends of the log only, so it costs the same whoever writes. Where
 * there are thousands of partitions it asks less often, and goes by the rate since the last answer without one of the COUNT. Arguments: BROKERS TOPIC
 * COUNT SKIP SECONDS.
 */
public class TopicWatch {
    public static void main(String[] args) throws Exception {
        long count = Long.parseLong(args[2]);
        long deadline = System.nanoTime() + Long.parseLong(args[4]) * 1_000_000_000L;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            var partitions = partitions(admin, args[1]);
            long begin = end(admin, partitions) + Long.parseLong(args[3]);
            System.out.println("watching");
            boolean many = partitions.size() > 100;
            long first = 0, before = 0;
            while (true) {
                long now = System.nanoTime();
                long seen = end(admin, partitions) - begin;
                if (many && seen <= 0) {
                    first = now;
                    before = seen;
                } else if (seen > 0 && first == 0) {
                    first = now;
                }
                if (seen >= count) {
                    double share = many ? (double) count / (seen - before) : 1;
                    System.out.printf("%.2f%n", (System.nanoTime() - first) / 1e9 * share);
                    return;
                }
                if (now > deadline) throw new IllegalStateException("only " + seen + " of " + count + " records came");
                Thread.sleep(Math.max(50, partitions.size() / 10));
            }
        }
    }

    private static Map<TopicPartition, OffsetSpec> partitions(Admin admin, String topic) throws Exception {
        String prefix = topic.replaceFirst("\\*$", "");
        var topics = admin.listTopics().names().get().stream()
            .filter(t -> topic.equals(prefix) ? t.equals(topic) : t.startsWith(prefix)).collect(Collectors.toList());
        if (topics.isEmpty()) throw new IllegalStateException("no topic " + topic);
        return admin.describeTopics(topics).allTopicNames().get().values().stream()
            .flatMap(t -> t.partitions().stream().map(p -> new TopicPartition(t.name(), p.partition())))
            .collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()));
    }

    private static long end(Admin admin, Map<TopicPartition, OffsetSpec> partitions) throws Exception {
        return admin.listOffsets(partitions).all().get().values().stream().mapToLong(ListOffsetsResultInfo::offset).sum();
    }
}
